// cases.js - what netcluster's agents must be able to rely on
//
// usage: node cases.js CASE
//
// One case each; the server is there already: SOCKETS is the template of its sockets, FLOOD the
// program flood. An exception that nobody catches, as the agent throws it on half a packet, ends
// the case.

'use strict'

const { assert, sockets, tick, until, Raw, NCAgent, agent, ear, barrier, flood, ask } =
  require('./lib')

const values = [
  null, true, false, 0, -1, 1.5, 1e300, Number.MAX_SAFE_INTEGER, '', 'text', 'a "quoted" \\ text\n',
  '\u0000\u0001\u001f', 'é漢🐈', [], [1, [2, [3]]], {}, { a: { b: [null] }, c: 'd' }
]

const cases = {}

cases.exchange = async function () {
  const a = await agent('A')
  const b = await agent('A')
  const heard = ear(b, 'value')
  for (const v of values) a.emit('value', v)
  a.emit('value', 'flagged', true)
  a.emit('value')
  await barrier(a, b)
  assert.strictEqual(heard.length, values.length + 2)
  values.forEach((v, i) => assert.deepStrictEqual(
    heard[i], { channel: 'A', broadcast: false, event: 'value', data: v }))
  assert.deepStrictEqual(heard[values.length],
    { channel: 'A', broadcast: true, event: 'value', data: 'flagged' })
  assert.deepStrictEqual(heard[values.length + 1],
    { channel: 'A', broadcast: false, event: 'value' })
}

cases.own = async function () {
  const a = await agent('A')
  const b = await agent('A')
  const own = ear(a, 'mine')
  const other = ear(b, 'mine')
  for (let i = 0; i < 100; i++) {
    a.emit('mine', i)
    // in memory, at once
    assert.strictEqual(own.length, i + 1)
  }
  await barrier(a, b)
  await barrier(b, a)
  assert.strictEqual(own.length, 100)
  assert.strictEqual(other.length, 100)
}

cases.early = async function () {
  const b = await agent('A')
  const heard = ear(b, 'early')
  const a = new NCAgent(sockets)
  let called = false
  a.connect('A', () => {
    called = true
    assert.strictEqual(a.socket.connecting, true)
    for (let i = 0; i < 10; i++) a.emit('early', i)
  })
  a.emit('early', -1)
  assert.strictEqual(called, false)
  await until(() => heard.length === 11, 'what was emitted before the connection was up')
  assert.deepStrictEqual(heard.map(p => p.data), [-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
}

async function handlers (emitter) {
  const a = await agent('A')
  const b = await agent('A', emitter)
  const log = []
  const named = p => log.push('named ' + p.data)
  b.on('log\\..*', p => log.push('regex ' + p.event))
  b.on('log.a', named)
  b.once('log.a', p => log.push('once ' + p.data))
  a.emit('log.a', 1)
  a.emit('log.a', 2)
  a.emit('other', 3)
  a.emit('xlog.a', 4)
  await barrier(a, b)
  assert.deepStrictEqual(log.filter(l => l.startsWith('regex')), ['regex log.a', 'regex log.a'])
  assert.deepStrictEqual(log.filter(l => l.startsWith('named')), ['named 1', 'named 2'])
  assert.deepStrictEqual(log.filter(l => l.startsWith('once')), ['once 1'])
  b.removeListener('log.a', named)
  a.emit('log.a', 5)
  await barrier(a, b)
  assert.strictEqual(log.filter(l => l.startsWith('named')).length, 2)
}

cases.handlers = () => handlers()

cases.originalEmitter = async function () {
  const emitter = require(process.env.EMITTER)
  await handlers(emitter)
  const a = await agent('A', emitter)
  const b = await agent('A', emitter)
  const heard = ear(b, 'burst')
  for (let i = 0; i < 2000; i++) a.emit('burst', i)
  await barrier(a, b)
  heard.forEach((p, i) => assert.strictEqual(p.data, i))
  assert.strictEqual(heard.length, 2000)
}

cases.burst = async function () {
  const a = await agent('A')
  const to = [await agent('A'), await agent('A'), await agent('A')]
  const heard = to.map(b => ear(b, 'burst'))
  for (let i = 0; i < 10000; i++) a.emit('burst', i)
  for (let t = 0; t < 3; t++) {
    await barrier(a, to[t])
    assert.strictEqual(heard[t].length, 10000)
    heard[t].forEach((p, i) => assert.strictEqual(p.data, i))
  }
}

cases.twoSenders = async function () {
  // over 64 KiB no agent can take it, so rules bring it to who joins what it reads
  const to = new Raw('B')
  const from = [await agent('A'), await agent('D')]
  await until(() => {
    from[0].emit('start')
    return to.packets.length > 0
  }, 'the listener to be known')
  const texts = ['x'.repeat(100000), 'é'.repeat(60000)]
  for (let i = 0; i < 20; i++) {
    from[0].emit('large.0', i + texts[0])
    from[1].emit('large.1', i + texts[1])
  }
  from[0].emit('end')
  from[1].emit('end')
  await until(() => to.packets.filter(p => p.event === 'end').length === 2, 'the end')
  for (let s = 0; s < 2; s++) {
    const got = to.packets.filter(p => p.event === 'large.' + s)
    assert.strictEqual(got.length, 20)
    got.forEach((p, i) => assert.strictEqual(p.data, i + texts[s]))
  }
  to.end()
}

// The data of a packet of exactly `size` bytes, its NUL included.
function filling (event, size, n) {
  const empty = { emmiteruuid: undefined, channel: 'A', broadcast: false, event, data: String(n) + ' ' }
  return empty.data + 'f'.repeat(Math.max(0, size - Buffer.byteLength(JSON.stringify(empty)) - 1))
}

cases.sizes = async function () {
  const from = [await agent('A'), await agent('A')]
  const to = [await agent('A'), await agent('A')]
  const heard = to.map(b => [ear(b, 'size.0'), ear(b, 'size.1')])
  const sent = [[], []]
  let random = 12345
  const special = [32768, 32767, 16384, 16385, 100, 32768, 32768, 90, 32767, 80]
  for (let i = 0; i < 600; i++) {
    random = (random * 1103515245 + 12345) % 2147483648
    const size = i < special.length ? special[i] : 80 + random % (32768 - 80)
    for (let s = 0; s < 2; s++) {
      const text = filling('size.' + s, s ? 32768 + 80 - size : size, i)
      sent[s].push(text)
      from[s].emit('size.' + s, text)
    }
  }
  for (let t = 0; t < 2; t++) {
    for (let s = 0; s < 2; s++) {
      await barrier(from[s], to[t])
      assert.strictEqual(heard[t][s].length, 600)
      heard[t][s].forEach((p, i) => assert.ok(p.data === sent[s][i]))
    }
  }
}

cases.floods = async function () {
  const to = [await agent('A'), await agent('A'), await agent('A')]
  const sizes = [64, 700, 30000]
  const floods = sizes.map((size, i) => flood(
    ['--id', i, '--emit', size > 10000 ? 150 : 4000, '--size', size, '--json']))
  const heard = to.map(b => sizes.map((size, i) => ear(b, 'flood\\.' + i)))
  for (const f of floods) await f.ready
  for (const f of floods) f.go()
  const reports = await Promise.all(floods.map(f => f.done))
  for (let t = 0; t < to.length; t++) {
    for (let i = 0; i < sizes.length; i++) {
      const n = reports[i].emitted
      await until(() => heard[t][i].length >= n, 'all of a flood')
      assert.strictEqual(heard[t][i].length, n)
      heard[t][i].forEach((p, k) => {
        assert.strictEqual(p.data.id, i)
        assert.strictEqual(p.data.n, k)
        assert.strictEqual(JSON.stringify(p.data).length, sizes[i])
        assert.match(p.emmiteruuid, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
      })
    }
  }
}

cases.floodsOfBytes = async function () {
  const to = await agent('A')
  const heard = ear(to, 'flood\\.0')
  const f = flood(['--id', 0, '--emit', 1000, '--size', 20000])
  await f.ready
  f.go()
  await f.done
  await until(() => heard.length === 1000, 'all of a flood')
  for (let i = 0; i < 1000; i++) {
    const bytes = Buffer.from(heard[i].data.$bytes, 'base64')
    assert.strictEqual(bytes.length, 20000)
    assert.strictEqual(bytes.readBigUInt64LE(0), BigInt(i))
  }
}

cases.utf8 = async function () {
  const a = await agent('A')
  const to = [await agent('A'), await agent('A')]
  const heard = to.map(b => ear(b, 'utf8'))
  const alphabet = ['é', '漢', '🐈', 'a', 'ß', '\u2028', '𝄞']
  const sent = []
  for (let i = 0; i < 3000; i++) {
    let text = ''
    for (let k = 0; k < 20 + i % 97; k++) text += alphabet[(i * 7 + k * k) % alphabet.length]
    sent.push(text)
    a.emit('utf8', text)
  }
  for (let t = 0; t < 2; t++) {
    await barrier(a, to[t])
    assert.strictEqual(heard[t].length, sent.length)
    heard[t].forEach((p, i) => assert.strictEqual(p.data, sent[i]))
  }
}

cases.control = async function () {
  const a = await agent('A')
  const b = await agent('A')
  const config = await ask('nc-control-showconfig', '')
  assert.deepStrictEqual(Object.keys(config).slice(0, 6),
    ['addr', 'port', 'dumpnet', 'connecttonet', 'startcontrol', 'channels'])
  assert.strictEqual(config.channels.A.propagatetochannels, '^B$')
  assert.strictEqual(config.channels.C.propagatetochannels, false)

  const uuids = await ask('nc-control-showchannel', 'A')
  assert.strictEqual(uuids.length, 2)
  for (const uuid of uuids) {
    assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  }
  const client = await ask('nc-control-showclient', { channel: 'A', client: uuids[0] })
  assert.strictEqual(client.id, uuids[0])
  assert.strictEqual(client.channel, 'A')
  assert.strictEqual(client.pid, process.pid)
  assert.strictEqual(client.dialect, 'json')
  assert.strictEqual((await ask('nc-control-showclient', { channel: 'A', client: 'x' })).error.length > 0, true)
  assert.strictEqual((await ask('nc-control-showchannel', 'nowhere')).error.length > 0, true)

  // the object that was shown, with one channel more, and as it was again
  const more = JSON.parse(JSON.stringify(config))
  more.channels.NEW = { propagatetochannels: '.*', propagatetonet: false, dumptoconsole: false }
  assert.strictEqual(await ask('nc-control-reloadconfig', more), 'done')
  const n = await agent('NEW')
  const heard = ear(a, 'from.new')
  n.emit('from.new', 1)
  await until(() => heard.length === 1, 'an event over the new rule')
  assert.strictEqual(heard[0].channel, 'NEW')
  assert.strictEqual(await ask('nc-control-reloadconfig', config), 'done')
  await until(() => n.closed, 'the clients of the removed channel to go')
  assert.strictEqual(a.closed, false)
  assert.deepStrictEqual(await ask('nc-control-showconfig', ''), config)
  const garbage = await ask('nc-control-reloadconfig', { channels: 7, prot: 1 })
  assert.match(garbage.error, /channels/)
  assert.match(garbage.error, /prot/)
  assert.deepStrictEqual(await ask('nc-control-showconfig', ''), config)
  await barrier(a, b)
}

cases.controlTellsAll = async function () {
  const watchers = [new NCAgent(sockets), new NCAgent(sockets)]
  for (const w of watchers) {
    await new Promise(resolve => w.connect('control', resolve))
  }
  // each has had an answer to a question of its own, so the server knows of both
  for (const w of watchers) {
    const own = ear(w, 'nc-control-showconfig-response')
    w.emit('nc-control-showconfig', '')
    await until(() => own.length > 0, 'an answer')
  }
  const answers = watchers.map(w => ear(w, 'nc-control-showchannel-response'))
  const uuids = await ask('nc-control-showchannel', 'A')
  for (const list of answers) {
    await until(() => list.length === 1, 'the answer to another one')
    assert.deepStrictEqual(list[0].data, uuids)
    assert.strictEqual(list[0].channel, 'control')
  }
}

cases.propagate = async function () {
  const a = await agent('A')
  const [onA, onB, onC] = [await agent('A'), await agent('B'), await agent('C')]
  const heard = [onA, onB, onC].map(x => ear(x, 'up'))
  const back = ear(onA, 'down')
  for (let i = 0; i < 100; i++) a.emit('up', i)
  for (let i = 0; i < 100; i++) onB.emit('down', i)
  await until(() => heard[1].length === 100, 'the events on B')
  await barrier(a, onA)
  const c = await agent('C')
  await barrier(c, onC)
  heard[1].forEach((p, i) => assert.deepStrictEqual(p,
    { channel: 'A', broadcast: false, event: 'up', data: i }))
  assert.strictEqual(heard[0].length, 100)
  assert.strictEqual(heard[2].length, 0)
  assert.strictEqual(back.length, 0)
}

cases.leaving = async function () {
  const a = await agent('A')
  const first = await agent('A')
  const later = await agent('A')
  const before = (await ask('nc-control-showchannel', 'A')).length
  const heard = ear(later, 'after')
  first.disconnect()
  let now = before
  const end = Date.now() + 20000
  while (now !== before - 1 && Date.now() < end) now = (await ask('nc-control-showchannel', 'A')).length
  assert.strictEqual(now, before - 1)
  for (let i = 0; i < 10; i++) a.emit('after', i)
  await barrier(a, later)
  assert.strictEqual(heard.length, 10)

  // the same agent comes back, and hears again
  await new Promise(resolve => first.connect('A', resolve))
  const again = ear(first, 'again')
  await until(() => {
    a.emit('again')
    return again.length > 0
  }, 'an agent that came back to hear')
}

// It stops reading in the middle of a flood, and goes on later: nothing is lost, nothing is cut.
cases.stalled = async function () {
  const a = await agent('A')
  const to = await agent('A')
  const heard = ear(to, 'stall')
  let paused = false
  to.on('stall', p => {
    if (!paused && p.data.n === 100) {
      paused = true
      to.socket.pause()
    }
  })
  for (let n = 0; n < 5000; n++) a.emit('stall', { n, fill: 'x'.repeat(n % 2000) })
  await until(() => paused, 'the flood to begin')
  const state = async () => (await ask('nc-control-clients', { channel: 'A' })).some(c => c.blocked)
  const end = Date.now() + 20000
  while (!(await state())) assert.ok(Date.now() < end, 'nobody blocks')
  to.socket.resume()
  await barrier(a, to)
  assert.strictEqual(heard.length, 5000)
  heard.forEach((p, n) => {
    assert.strictEqual(p.data.n, n)
    assert.strictEqual(p.data.fill.length, n % 2000)
  })
}

// It never reads again: it goes, and the others get everything.
cases.stalledForGood = async function () {
  const a = await agent('S')
  const stalled = await agent('S')
  const to = await agent('S')
  const heard = ear(to, 'stall')
  stalled.socket.pause()
  for (let n = 0; n < 3000; n++) a.emit('stall', { n, fill: 'x'.repeat(500) })
  await barrier(a, to)
  assert.strictEqual(heard.length, 3000)
  heard.forEach((p, n) => assert.strictEqual(p.data.n, n))
  const slow = await ask('nc-control-slow', '')
  assert.ok(slow.some(s => s.channel === 'S' && s.gone && s.pid === process.pid))
  stalled.socket.resume()
  await until(() => stalled.closed, 'the stalled one to be disconnected')
}

cases.fifty = async function () {
  const a = await agent('A')
  const to = []
  for (let i = 0; i < 50; i++) to.push(await agent('A'))
  const heard = to.map(b => ear(b, 'all'))
  for (let n = 0; n < 200; n++) a.emit('all', n)
  for (let i = 0; i < 50; i++) {
    await barrier(a, to[i])
    assert.strictEqual(heard[i].length, 200)
    heard[i].forEach((p, n) => assert.strictEqual(p.data, n))
  }
}

cases.hostile = async function () {
  const a = await agent('A')
  const b = await agent('A')
  const heard = ear(b, '.*')
  const big = Buffer.alloc(100000, 'x')
  const bad = [
    'hello\0', 'null\0', '[]\0', '{}\0', '7\0', '{"event":7}\0', '{"event":"half\0', '{"event":"x"\0',
    '{"event":"x","data":' + '['.repeat(1000) + ']'.repeat(1000) + '}\0', '\xff\xfe\xfd\0', 'GET / HTTP/1.1\r\n\r\n\0',
    Buffer.from([0xff, 0x00, 0x01, 0x02]), Buffer.from('{"event":"x","data":"\xc3\x28"}\0', 'latin1'),
    Buffer.concat([Buffer.from('{"event":"x","data":"'), big, big, big, Buffer.from('"}\0')])
  ]
  for (const bytes of bad) {
    const raw = new Raw('A')
    raw.write(bytes)
    await until(() => raw.ended, 'a hostile client to go: ' + String(bytes).slice(0, 40))
    if (typeof bytes === 'string') {
      const last = raw.packets[raw.packets.length - 1]
      assert.strictEqual(last.event, 'nc.error')
      assert.strictEqual(typeof last.data.code, 'number')
    }
  }
  heard.length = 0
  a.emit('fine', 1)
  await barrier(a, b)
  assert.deepStrictEqual(heard.filter(p => p.event === 'fine').map(p => p.data), [1])
  assert.deepStrictEqual(heard.filter(p => p.event === 'x'), [])
}

// What the server says to an agent is a packet like others.
cases.refused = async function () {
  const a = await agent('A')
  const b = await agent('A')
  const errors = ear(a, 'nc.error')
  const heard = ear(b, 'nc.*')
  a.emit('nc.own', 1)
  a.emit('two words', 1)
  await until(() => errors.length === 2, 'to be told')
  await barrier(a, b)
  assert.strictEqual(heard.length, 0)
  assert.deepStrictEqual(errors.map(e => e.data.code), [5, 4])
  for (const e of errors) assert.strictEqual(e.channel, 'A')
}

const name = process.argv[2]

if (!cases[name]) {
  console.error('no such case: ' + name)
  process.exit(2)
}
cases[name]().then(() => process.exit(0), error => {
  console.error(error.stack)
  process.exit(1)
})
