// ncagent.js - netcluster's agent, faults and all
//
// Written from the description of what the published agent does, to the byte: packets without
// emmiteruuid, each ended by NUL; own emits delivered in memory, synchronously, before they are
// written; handlers named by regular expressions; and its weakness: each chunk that the socket
// gives, of up to 64 KiB, is taken for whole packets. A chunk that ends inside a packet, or inside
// a character, makes JSON.parse throw, and nothing catches that.

'use strict'

const net = require('net')

// An emitter whose event names are regular expressions, anchored at both ends. Taking one handler
// away takes those after it, too, as in the original.
class Emitter {
  constructor () {
    this.handlers = {}
  }

  on (event, handler) {
    this.handlers[event] = this.handlers[event] || []
    this.handlers[event].push(handler)
  }

  once (event, handler) {
    const wrapped = (...args) => {
      this.removeListener(event, wrapped)
      handler(...args)
    }
    this.on(event, wrapped)
  }

  removeListener (event, handler) {
    const list = this.handlers[event]
    list.splice(list.indexOf(handler))
  }

  emit (event, ...args) {
    for (const name of Object.keys(this.handlers)) {
      if (new RegExp('^' + name + '$').test(event)) {
        for (const handler of this.handlers[name].slice()) handler(...args)
      }
    }
  }
}

class NCAgent {
  // sockets: template of the sockets' paths, with %s; emitter: what stands in for the original's
  constructor (sockets, emitter = Emitter) {
    this.sockets = sockets
    this.Emitter = emitter
    this.emiter = new emitter()
  }

  // The callback comes with the next tick, before the connection is up; what is written meanwhile
  // is queued by the socket.
  connect (channel, callback) {
    this.channel = channel
    if (!this.emiter) this.emiter = new this.Emitter()
    this.socket = net.connect(this.sockets.replace('%s', channel))
    this.socket.on('data', chunk => this.ondata(chunk))
    this.socket.on('error', error => { this.error = error })
    this.socket.on('close', () => { this.closed = true })
    this.closed = false
    if (callback) process.nextTick(callback)
  }

  ondata (chunk) {
    for (const piece of chunk.toString('utf8').split('\0')) {
      if (piece.length > 0) {
        const packet = JSON.parse(piece)
        this.emiter.emit(packet.event, packet)
      }
    }
  }

  disconnect () {
    this.socket.end()
    this.emiter = null
  }

  emit (event, data, broadcast) {
    const packet = {
      emmiteruuid: undefined,
      channel: this.channel,
      broadcast: broadcast || false,
      event: event,
      data: data
    }
    this.emiter.emit(event, packet)
    this.socket.write(JSON.stringify(packet) + '\0')
  }

  on (event, handler) {
    this.emiter.on(event, handler)
  }

  once (event, handler) {
    this.emiter.once(event, handler)
  }

  removeListener (event, handler) {
    this.emiter.removeListener(event, handler)
  }
}

module.exports = { NCAgent, Emitter }
