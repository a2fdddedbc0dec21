// lib.js - what the cases share: agents that are known to the server, patience, other processes

'use strict'

const assert = require('assert')
const { spawn } = require('child_process')
const net = require('net')
const { NCAgent, Emitter } = require('./ncagent')

const sockets = process.env.SOCKETS
const deadline = Number(process.env.NC_TEST_DEADLINE_MS || 20000)

const tick = ms => new Promise(resolve => setTimeout(resolve, ms))

// Waits until fn() is true.
async function until (fn, what) {
  const end = Date.now() + deadline
  while (!fn()) {
    if (Date.now() > end) throw new Error('waited in vain for: ' + what)
    await tick(2)
  }
}

// A client that joins what it reads, and can write anything.
class Raw {
  constructor (channel) {
    this.packets = []
    this.rest = Buffer.alloc(0)
    this.ended = false
    this.socket = net.connect(sockets.replace('%s', channel))
    this.socket.on('data', chunk => this.ondata(chunk))
    this.socket.on('error', () => {})
    this.socket.on('close', () => { this.ended = true })
  }

  ondata (chunk) {
    let at
    this.rest = Buffer.concat([this.rest, chunk])
    // the server speaks the dialect that was spoken to it: frames are not for this client
    if (this.native) return
    while ((at = this.rest.indexOf(0)) >= 0) {
      this.packets.push(JSON.parse(this.rest.subarray(0, at).toString('utf8')))
      this.rest = this.rest.subarray(at + 1)
    }
  }

  write (bytes) {
    this.native = this.native || bytes[0] === 0xff
    this.socket.write(bytes)
  }

  end () {
    this.socket.destroy()
  }
}

// An agent of a channel that the server knows of: somebody there has heard it. (Not another agent:
// one that disconnects while packets are on their way throws, as the original does.)
let nGreetings = 0

async function agent (channel, emitter = Emitter) {
  const a = new NCAgent(sockets, emitter)
  const name = 'greeting' + ++nGreetings
  const witness = new Raw(channel)
  // an empty packet, which shows its dialect, so that it need not wait to be taken for what it is
  witness.write('\0')
  await new Promise(resolve => a.connect(channel, resolve))
  // until the witness is known there is nobody to hear this
  await until(() => {
    a.emit(name)
    return witness.packets.some(p => p.event === name)
  }, 'the server to know of an agent')
  witness.end()
  return a
}

// What an agent hears of an event, as a list that grows.
function ear (a, event) {
  const list = []
  a.on(event, packet => list.push(packet))
  return list
}

// Returns when all that was sent to `to` before has been heard by it.
let nBarriers = 0

async function barrier (from, to) {
  const name = 'barrier' + ++nBarriers
  const list = ear(to, name)
  from.emit(name)
  await until(() => list.length > 0, 'an event to go from one agent to another')
}

// A native process that emits, and hears, at full rate. Resolves `ready` when the server knows of
// it; go() lets it emit; `done` resolves with its report.
function flood (args) {
  const child = spawn(process.env.FLOOD, ['--socket', sockets, ...args.map(String)],
    { stdio: ['pipe', 'pipe', 'inherit'] })
  const f = { go: () => child.stdin.end(), kill: () => child.kill('SIGKILL') }
  let out = ''
  f.ready = new Promise(resolve => child.stdout.on('data', data => {
    out += data
    if (out.includes('ready\n')) resolve()
  }))
  f.done = new Promise((resolve, reject) => child.on('close', status => {
    if (status === 0) resolve(JSON.parse(out.split('\n')[1]))
    else reject(new Error('flood ended with status ' + status + ': ' + out))
  }))
  f.done.catch(() => {})
  return f
}

// Asks the control channel with an agent of its own, as netcluster's client does.
async function ask (question, data) {
  const a = new NCAgent(sockets)
  await new Promise(resolve => a.connect('control', resolve))
  const answers = ear(a, question + '-response')
  a.emit(question, data)
  await until(() => answers.length > 0, 'the answer to ' + question)
  a.socket.destroy()
  return answers[0].data
}

module.exports = { assert, sockets, tick, until, Raw, NCAgent, Emitter, agent, ear, barrier, flood, ask }
