//! Scripts: everything that may happen to a few connections at once, made of one number.

use std::net::{IpAddr, SocketAddr};

use mirror_common::policy::PROBE_BIT;

use crate::frame::{self, ACK, FIN, IPV4, IPV6, QINQ, RST, SYN, VLAN};
use crate::model::rules::{Policy, Rule};

/// A step of a script.
#[derive(Clone, Debug)]
pub enum Step {
    Packet {
        frame: Vec<u8>,
        raw: bool,
        vantage: (u32, u8),
        mark: u32,
    },
    /// A service gets another policy, its rules in the other bank.
    Policy(u8, Policy),
    Killed(bool),
    Ring(u8, bool),
    LeaseOver(bool),
    Shadow(bool),
}

pub const MARK: u32 = 0x6d61;
/// Services of a script, and the interfaces of its namespace.
pub const SERVICES: u8 = 4;
pub const INTERFACES: [u32; 3] = [1, 2, 3];

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// Once in so many.
    pub fn once(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}

/// One connection, from its two ends' view.
struct Talk {
    ends: [SocketAddr; 2],
    udp: bool,
    /// The mark of what the client sends.
    mark: u32,
    stamped: bool,
    raw: bool,
    vantage: [(u32, u8); 2],
    second: Option<(u32, u8)>,
    next: [u32; 2],
    clock: [u32; 2],
    isn: u32,
    last: [Vec<u8>; 2],
    /// Which steps of a handshake were taken.
    shaken: u8,
}

/// Ends of services by index; a service has its primary first.
pub fn servers() -> Vec<(SocketAddr, u8, u8, u8)> {
    let end = |text: &str| text.parse::<SocketAddr>().unwrap();
    vec![
        (end("10.0.0.2:8000"), 0, 0, 0),
        (end("10.0.0.3:8001"), 0, 1, 1),
        (end("10.0.0.4:8002"), 0, 2, 2),
        (end("[fd00::2]:8000"), 1, 0, 0),
        (end("[fd00::2]:8001"), 1, 1, 1),
        (end("0.0.0.0:9000"), 2, 0, 0),
        (end("10.0.0.2:53"), 3, 0, 0),
        (end("[fd00::3]:53"), 3, 0, 0),
    ]
}

fn talk(random: &mut Random) -> Talk {
    let v4: [&str; 6] = ["10.1.0.1", "10.1.0.2", "10.1.7.1", "10.2.0.1", "192.168.3.4", "203.0.113.9"];
    let v6: [&str; 5] = ["2001:db8:1::1", "2001:db8:1::2", "2001:db8:2::1", "fd00:7::1", "fe80::9"];
    let servers4: [&str; 7] = [
        "10.0.0.2:8000",
        "10.0.0.2:8000",
        "10.0.0.3:8001",
        "10.0.0.4:8002",
        "10.9.9.9:9000",
        "10.0.0.2:53",
        "10.0.0.9:8000",
    ];
    let servers6: [&str; 6] = [
        "[fd00::2]:8000",
        "[fd00::2]:8000",
        "[fd00::2]:8001",
        "[fd00::9]:9000",
        "[fd00::3]:53",
        "[fd00::2]:7777",
    ];
    let (ip, server): (&str, &str) = match random.once(2) {
        true => (random.pick(&v4), random.pick(&servers4)),
        false => (random.pick(&v6), random.pick(&servers6)),
    };
    let (ip, server): (IpAddr, SocketAddr) = (ip.parse().unwrap(), server.parse().unwrap());
    let port = random.pick(&[1000u16, 1023, 1024, 5000, 40_000, 40_001, 40_002, 65_535]);
    let vantage = |random: &mut Random| (random.pick(&INTERFACES), 1 + random.below(2) as u8);
    Talk {
        ends: [(ip, port).into(), server],
        udp: server.port() == 53 && !random.once(4),
        mark: if random.once(8) { random.pick(&[MARK, MARK ^ PROBE_BIT]) } else { 0 },
        stamped: random.once(2),
        raw: random.once(6),
        vantage: [vantage(random), vantage(random)],
        second: random.once(3).then(|| vantage(random)),
        next: [random.next() as u32 | 1, random.next() as u32],
        clock: [random.next() as u32 | 1, random.next() as u32 | 1],
        isn: 0,
        last: [vec![], vec![]],
        shaken: 0,
    }
}

const GET: &[u8] = b"GET /users/7 HTTP/1.1\r\nHost: v1\r\nAccept: */*\r\n\r\n";
const POST: &[u8] = b"POST /echo HTTP/1.1\r\nHost: v1\r\nContent-Length: 30\r\n\r\n";
const REQUESTS: [&[u8]; 10] = [
    GET,
    GET,
    GET,
    POST,
    b"012345678901234567890123456789",
    b"HEAD / HTTP/1.0\n\n",
    b"GET /half HTTP/1.1\r\nHost: ",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n",
    b"short",
];
const RESPONSES: [&[u8]; 10] = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhi",
    b"and what else there is to say of it, in more than a few bytes",
    b"HTTP/1.1 404 Not Found\r\n\r\n",
    b"HTTP/1.1 503 Service Unavailable\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    b"HTTP/1.1 999 What\r\n\r\n",
    b"HTTP/1.1",
];

/// Makes a script.
pub fn script(seed: u64, len: usize) -> Vec<Step> {
    let mut random = Random(seed);
    let mut talks: Vec<Talk> = (0..12).map(|_| talk(&mut random)).collect();
    let mut policies: Vec<Policy> =
        (0..SERVICES).map(|_| Policy { rest: 1_000_000, ..Policy::default() }).collect();
    let mut steps = Vec::new();
    while steps.len() < len {
        if random.once(60) {
            steps.push(told(&mut random, &mut policies));
            continue;
        }
        if random.once(40) {
            let n = random.below(talks.len());
            talks[n] = talk(&mut random);
        }
        let n = random.below(talks.len());
        act(&mut random, &mut talks[n], &mut steps);
    }
    steps
}

/// What the agent says.
fn told(random: &mut Random, policies: &mut [Policy]) -> Step {
    match random.below(12) {
        0 => Step::Killed(random.once(3)),
        1 => Step::LeaseOver(random.once(3)),
        2 => Step::Shadow(!random.once(4)),
        3 | 4 => Step::Ring(random.pick(&[1, 2, 63]), random.once(2)),
        _ => {
            let service = random.below(policies.len());
            change(random, &mut policies[service]);
            Step::Policy(service as u8, policies[service].clone())
        }
    }
}

/// An hour a unit: within a script no token comes back.
const HOUR: u64 = 3_600_000_000_000;

fn change(random: &mut Random, policy: &mut Policy) {
    match random.below(9) {
        0 => policy.paused = random.once(3),
        1 => policy.rest = random.pick(&[0, 100_000, 500_000, 1_000_000, 1_000_000]),
        2 => policy.seed = random.next() as u32,
        3 => policy.max_connections = random.pick(&[0, 0, 1, 2, 5]),
        4 => {
            policy.packet_cost = random.pick(&[0, 0, 0, HOUR << 10]);
            policy.byte_cost = random.pick(&[0, 0, 0, (HOUR << 10) / 100]);
            policy.connection_cost = random.pick(&[0, 0, HOUR << 10]);
            policy.burst = random.next() % 400 * HOUR + HOUR / 2;
        }
        5 => policy.thresholds = [0, 1, 5000, 20_000, 100_000, 1_000_000, random.next() >> 40, u64::MAX],
        _ => change_rules(random, policy),
    }
}

fn change_rules(random: &mut Random, policy: &mut Policy) {
    let prefixes = [
        "0.0.0.0/0",
        "10.0.0.0/8",
        "10.1.0.0/16",
        "10.1.0.0/24",
        "10.1.0.1/32",
        "192.168.0.0/16",
        "::/0",
        "2001:db8::/32",
        "2001:db8:1::/48",
        "2001:db8:1::1/128",
        "fd00::/8",
        "2001:db8:1::/64",
    ];
    let share = random.pick(&[0, 300_000, 700_000, 1_000_000, 1_000_000]);
    match random.below(4) {
        0 if !policy.rules.is_empty() => {
            let gone = random.below(policy.rules.len());
            policy.rules.remove(gone);
        }
        1 if !policy.rules.is_empty() => {
            let changed = random.below(policy.rules.len());
            policy.rules[changed].share = share;
        }
        _ => {
            let Some(slot) = (1..16).find(|slot| policy.rules.iter().all(|rule| rule.slot != *slot)) else {
                return;
            };
            let rule = Rule {
                slot,
                share,
                ring: random.pick(&[0, 0, 1, 2, 63]),
                generation: random.next() as u8,
                ports: random.pick(&[(0, 65_535), (0, 65_535), (1024, 65_535), (0, 1023), (40_000, 40_001)]),
                prefixes: (0..1 + random.below(3)).map(|_| prefix(random.pick(&prefixes))).collect(),
            };
            let at = random.below(policy.rules.len() + 1);
            policy.rules.insert(at, rule);
        }
    }
}

/// A prefix from its text, IPv4 in its mapped form.
pub fn prefix(text: &str) -> ([u8; 16], u32) {
    let (ip, bits) = text.split_once('/').unwrap();
    let bits: u32 = bits.parse().unwrap();
    match ip.parse::<IpAddr>().unwrap() {
        IpAddr::V4(ip) => (ip.to_ipv6_mapped().octets(), 96 + bits),
        IpAddr::V6(ip) => (ip.octets(), bits),
    }
}

/// One packet of a talk, or two.
fn act(random: &mut Random, talk: &mut Talk, steps: &mut Vec<Step>) {
    let side = random.below(2);
    if talk.shaken < 3 && !random.once(12) {
        return shake(random, talk, steps);
    }
    let texts = if side == 0 { REQUESTS } else { RESPONSES };
    match random.below(40) {
        0..=9 => {
            let text = random.pick(&texts);
            send(random, talk, steps, side, 0, ACK, text, true);
        }
        10..=19 => {
            send(random, talk, steps, 0, 0, ACK, GET, true);
            send(random, talk, steps, 1, 0, ACK, RESPONSES[0], true);
        }
        20..=24 => send(random, talk, steps, side, 0, ACK, b"", true),
        25 => {
            let last = talk.last[side].clone();
            send(random, talk, steps, side, -(last.len() as i32), ACK, &last, false);
        }
        26 => send(random, talk, steps, side, -7, ACK, b"some old bytes and some that are new", true),
        27 => {
            let text = random.pick(&texts);
            send(random, talk, steps, side, 50 + 40 * side as i32, ACK, text, true);
        }
        28 => send(random, talk, steps, side, -1, ACK, b"k", false),
        29 => send(random, talk, steps, side, -1, ACK, b"", false),
        30 | 31 => send(random, talk, steps, side, 0, FIN | ACK, b"", true),
        32 => send(random, talk, steps, side, 0, FIN | ACK, texts[0], true),
        33 => send(random, talk, steps, side, 0, RST, b"", false),
        34 => again(random, talk, steps),
        35 => {
            talk.next = [random.next() as u32 | 1, random.next() as u32];
            talk.shaken = 0;
        }
        36 => send(random, talk, steps, side, 0, FIN | SYN | RST | ACK, texts[0], false),
        37 => {
            let text = random.pick(&texts);
            send(random, talk, steps, side, 0, ACK, text, true);
            send(random, talk, steps, 1 - side, 0, ACK, b"", true);
        }
        _ => {
            let text = random.pick(&texts);
            send(random, talk, steps, side, 0, ACK, text, true);
        }
    }
}

fn shake(random: &mut Random, talk: &mut Talk, steps: &mut Vec<Step>) {
    match talk.shaken {
        0 => {
            talk.isn = talk.next[0];
            let data: &[u8] = if random.once(10) { GET } else { b"" };
            send(random, talk, steps, 0, 0, SYN, data, true);
        }
        1 => send(random, talk, steps, 1, 0, SYN | ACK, b"", true),
        _ => {
            let data: &[u8] = if random.once(5) { GET } else { b"" };
            send(random, talk, steps, 0, 0, ACK, data, true);
        }
    }
    talk.shaken += 1;
}

/// A part of the handshake that comes again.
fn again(random: &mut Random, talk: &mut Talk, steps: &mut Vec<Step>) {
    let back = talk.isn.wrapping_sub(talk.next[0]).cast_signed();
    if random.once(2) {
        send(random, talk, steps, 0, back, SYN, b"", false);
    } else {
        send(random, talk, steps, 1, -1, SYN | ACK, b"", false);
    }
}

#[expect(clippy::too_many_arguments, reason = "what a segment is made of")]
fn send(
    random: &mut Random,
    talk: &mut Talk,
    steps: &mut Vec<Step>,
    side: usize,
    offset: i32,
    flags: u8,
    payload: &[u8],
    taken: bool,
) {
    talk.clock[side] = talk.clock[side].wrapping_add(random.below(3) as u32);
    let ports = [talk.ends[side].port(), talk.ends[1 - side].port()];
    let sequence = talk.next[side].wrapping_add_signed(offset);
    let numbers = [sequence, talk.next[1 - side]];
    let transport = match (talk.udp, talk.stamped) {
        (true, _) => frame::udp(ports[0], ports[1], payload),
        (_, true) => {
            let echo = talk.clock[1 - side].wrapping_sub(u32::from(random.once(8)));
            frame::stamped(ports, numbers, flags, [talk.clock[side], echo], payload)
        }
        _ => frame::tcp(ports[0], ports[1], sequence, flags, payload),
    };
    if taken {
        let more = u32::from(flags & SYN != 0) + u32::from(flags & FIN != 0);
        talk.next[side] = sequence.wrapping_add(payload.len() as u32 + more);
        if !payload.is_empty() {
            talk.last[side] = payload.to_vec();
        }
    }
    let packet = wrap(random, talk, side, &transport);
    let mark = if side == 0 { talk.mark } else { 0 };
    let vantage = if random.once(30) { (1, 1) } else { talk.vantage[side] };
    steps.push(Step::Packet { frame: packet.clone(), raw: talk.raw, vantage, mark });
    if let Some(second) = talk.second.filter(|_| !random.once(5)) {
        steps.push(Step::Packet { frame: packet, raw: talk.raw, vantage: second, mark });
    }
}

/// Puts the headers of some network round a segment, and spoils some.
fn wrap(random: &mut Random, talk: &Talk, side: usize, transport: &[u8]) -> Vec<u8> {
    let protocol = if talk.udp { 17 } else { 6 };
    let strange = random.once(6);
    let (kind, packet) = match (talk.ends[side].ip(), talk.ends[1 - side].ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let options = if strange { vec![1; 4 * random.below(11)] } else { vec![] };
            let fragment = if strange { random.pick(&[0, 0x4000, 0x2000, 0x2001, 0x0001]) } else { 0x4000 };
            (IPV4, frame::ipv4(from, to, protocol, fragment, &options, transport))
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let mut headers = vec![];
            for _ in 0..if strange { random.below(8) } else { 0 } {
                let kind = random.pick(&[0, 43, 60, 44, 51]);
                headers.push((kind, vec![0; 8]));
            }
            (IPV6, frame::ipv6(from, to, protocol, &headers, transport))
        }
        _ => unreachable!("two families in one talk"),
    };
    let tags: &[u16] = match random.below(24) {
        0 => &[VLAN],
        1 => &[QINQ, VLAN],
        2 => &[QINQ, VLAN, VLAN],
        _ => &[],
    };
    let mut packet = if talk.raw { packet } else { frame::tagged(tags, kind, &packet) };
    if random.once(20) {
        packet.extend_from_slice(&[0; 26][..random.below(26)]); // padding
    }
    let floor = if talk.raw { 40 } else { 54 };
    if random.once(50) {
        packet.truncate(floor + random.below(40));
    }
    if random.once(50) {
        // Nothing that says what follows, nor the link header, which a test run looks into itself.
        let link = floor - 40;
        let at = link + random.below(packet.len() - link);
        packet[at] = random.next() as u8;
    }
    packet
}
