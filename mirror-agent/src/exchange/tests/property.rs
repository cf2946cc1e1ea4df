//! Random connections: the ledger holds whatever comes, and a pair is a pair whatever was lost.

use std::collections::{BTreeSet, VecDeque};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// One exchange of a connection that is made up.
#[derive(Clone, Copy, Debug)]
struct Plan {
    request: u8,
    response: u8,
    /// What bodies are made of: nothing special, or what looks like the beginning of a message.
    evil: Evil,
    len: usize,
}

#[derive(Clone, Copy, Debug)]
struct Evil {
    request: bool,
    response: bool,
}

const GOOD: Evil = Evil { request: false, response: false };
const EVIL: Evil = Evil { request: true, response: true };
/// When its true head was lost, a request's body that begins a chunk with a head cannot be told from a request.
const EVIL_RESPONSES: Evil = Evil { request: false, response: true };

impl Plan {
    fn request(&self, id: usize) -> String {
        let body: String = "GET /evil HTTP/1.1\r\n\r\n".chars().cycle().take(self.len).collect();
        let body = if self.evil.request { body } else { "x".repeat(self.len) };
        match self.request {
            0 => format!("HEAD /{id} HTTP/1.1\r\n\r\n"),
            1 => format!("POST /{id} HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len()),
            2 => format!("POST /{id} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{}", chunked(&body)),
            _ => format!("GET /{id} HTTP/1.1\r\n\r\n"),
        }
    }

    fn response(&self, id: usize) -> String {
        let junk: String = "HTTP/1.1 200 OK\r\nId: evil\r\n\r\n".chars().cycle().take(self.len).collect();
        let junk = if self.evil.response { junk } else { "y".repeat(self.len) };
        let body = if self.request == 0 { "" } else { &junk };
        let interim = if self.response > 3 { "HTTP/1.1 100 Continue\r\n\r\n" } else { "" };
        let rest = match self.response {
            0 => format!("204 No\r\nId: {id}\r\n\r\n"),
            1 if self.request == 0 => format!("200 OK\r\nId: {id}\r\nTransfer-Encoding: chunked\r\n\r\n"),
            1 => format!("200 OK\r\nId: {id}\r\nTransfer-Encoding: chunked\r\n\r\n{}", chunked(body)),
            _ => format!("200 OK\r\nId: {id}\r\nContent-Length: {}\r\n\r\n{body}", junk.len()),
        };
        format!("{interim}HTTP/1.1 {rest}")
    }
}

fn chunked(body: &str) -> String {
    let chunk = |piece: &[u8]| format!("{:x}\r\n{}\r\n", piece.len(), String::from_utf8_lossy(piece));
    body.as_bytes().chunks(7).map(chunk).chain(["0\r\n\r\n".to_owned()]).collect()
}

/// A connection as it is made up: who waits for whom, how it is cut into frames, what is lost.
#[derive(Clone, Debug)]
struct World {
    plans: Vec<Plan>,
    /// Requests that the client has under way at once.
    depth: usize,
    /// It refills them one by one, not all at once.
    steady: bool,
    cuts: Vec<usize>,
    lost: Vec<bool>,
}

fn worlds(depths: std::ops::Range<usize>, loss: f64, evil: Evil) -> impl Strategy<Value = World> {
    let plan = (0..6u8, 0..5u8, any::<bool>(), 0..40usize);
    let plan = plan.prop_map(move |(request, response, bad, len)| Plan {
        request,
        response,
        evil: if bad { evil } else { GOOD },
        len,
    });
    let lost = vec(prop::bool::weighted(loss), 1..60);
    (vec(plan, 1..8), depths, any::<bool>(), vec(1..60usize, 1..20), lost)
        .prop_map(|(plans, depth, steady, cuts, lost)| World { plans, depth, steady, cuts, lost })
}

/// A frame of one end, with where its bytes begin and how many of the other end's bytes were there before.
#[derive(Clone, Debug)]
struct Sent {
    side: Side,
    data: Vec<u8>,
    start: i64,
    ack: i64,
}

impl World {
    /// What the two ends say, in turn.
    fn messages(&self) -> Vec<(Side, String)> {
        let request = |id: usize| (Side::Client, self.plans[id].request(id));
        let response = |id: usize| (Side::Server, self.plans[id].response(id));
        let count = self.plans.len();
        let mut messages = Vec::new();
        if self.steady {
            messages.extend((0..count.min(self.depth)).map(request));
            for id in 0..count {
                messages.push(response(id));
                messages.extend((id + self.depth < count).then(|| request(id + self.depth)));
            }
        } else {
            for from in (0..count).step_by(self.depth) {
                let burst = from..count.min(from + self.depth);
                messages.push((Side::Client, burst.clone().map(|id| request(id).1).collect()));
                messages.push((Side::Server, burst.map(|id| response(id).1).collect()));
            }
        }
        messages
    }

    fn frames(&self) -> Vec<Sent> {
        let mut cuts = self.cuts.iter().cycle();
        let (mut frames, mut sent) = (Vec::new(), [0, 0]);
        for (side, message) in self.messages() {
            let (own, other) = if side == Side::Client { (0, 1) } else { (1, 0) };
            let mut rest = message.as_bytes();
            while !rest.is_empty() {
                let (now, later) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
                frames.push(Sent { side, data: now.to_vec(), start: sent[own], ack: sent[other] });
                sent[own] += now.len() as i64;
                rest = later;
            }
        }
        frames
    }

    /// What a stream says of the frames from number `from` on. A hole is given up when the other end, in a frame
    /// that is seen, has acknowledged what is behind it. Offsets count from the first byte of a direction of which
    /// anything is known.
    fn script(&self, from: usize) -> Vec<Say> {
        let mut held = [VecDeque::new(), VecDeque::new()];
        let mut origin = if from == 0 { [Some(0), Some(0)] } else { [None, None] };
        let mut script = Vec::new();
        for (frame, lost) in self.frames().into_iter().skip(from).zip(self.lost.iter().cycle()) {
            let (own, other, peer) =
                if frame.side == Side::Client { (0, 1, Side::Server) } else { (1, 0, Side::Client) };
            if !*lost {
                release(&mut held[other], peer, &mut script);
                origin[own].get_or_insert(frame.start);
                if own == 0 {
                    origin[1].get_or_insert(frame.ack);
                }
            } else if origin[own].is_none() {
                continue;
            }
            let ack = origin[other].map(|origin| frame.ack - origin);
            held[own].push_back((frame.data, ack, *lost));
            while let Some((data, ack, _)) = held[own].pop_front_if(|(_, _, lost)| !*lost) {
                script.push(said(frame.side, ack, data));
            }
        }
        release(&mut held[0], Side::Client, &mut script);
        release(&mut held[1], Side::Server, &mut script);
        script
    }
}

/// A frame that waits, with what it acknowledges, and whether it was lost.
type Held = (Vec<u8>, Option<i64>, bool);

fn said(side: Side, ack: Option<i64>, data: Vec<u8>) -> Say {
    if side == Side::Client { Say::AckC(ack, data) } else { Say::AckS(ack, data) }
}

/// Hands on what is held, up to the last frame that was seen.
fn release(held: &mut VecDeque<Held>, side: Side, script: &mut Vec<Say>) {
    while held.iter().any(|(_, _, lost)| !*lost) {
        let holes = held.iter().take_while(|(_, _, lost)| *lost).count();
        let gap: usize = held.drain(..holes).map(|(data, _, _)| data.len()).sum();
        let gap = u32::try_from(gap).unwrap();
        if gap > 0 {
            script.push(if side == Side::Client { GapC(gap) } else { GapS(gap) });
        }
        while let Some((data, ack, _)) = held.pop_front_if(|(_, _, lost)| !*lost) {
            script.push(said(side, ack, data));
        }
    }
}

/// Runs a world; checks that every pair is a pair, in order, with the right content. Returns the pairs.
fn pairs(world: &World, from: usize, late: bool) -> Vec<usize> {
    let mut conversation = Conversation::new(late);
    let mut shared = Shared::new(Limits::default(), usize::MAX);
    let (mut seen, mut ended, mut pairs, mut bytes) = (0, 0, Vec::new(), (0, 0));
    for say in world.script(from).iter().chain([&Closed(Close::Fin)]) {
        conversation.on_event(&say.event(bytes), &mut shared, &mut |progress| match progress {
            Progress::Seen => seen += 1,
            Progress::Ended(_) => ended += 1,
            Progress::Complete(exchange) => pairs.push(pair(world, &exchange)),
            Progress::Unasked(_) => {}
        });
        bytes = (bytes.0 + say.len().0, bytes.1 + say.len().1);
        assert_eq!(seen, ended + pairs.len() + conversation.open());
    }
    assert_eq!(conversation.open(), 0);
    assert!(pairs.is_sorted_by(|a, b| a < b), "{pairs:?}");
    pairs
}

fn pair(world: &World, exchange: &Exchange) -> usize {
    let target = str::from_utf8(&exchange.request.target).unwrap();
    assert_eq!(target.as_bytes()[1..], exchange.response.headers.get("id").unwrap()[..], "a shifted pair");
    let id: usize = target[1..].parse().unwrap();
    assert_eq!(exchange.request.wire, world.plans[id].request(id).as_bytes());
    let expected = world.plans[id];
    let no_body = expected.request == 0 || expected.response == 0;
    assert_eq!(exchange.response.body.len, if no_body { 0 } else { expected.len as u64 });
    id
}

/// Anything that a stream might say, sense or none.
fn anything() -> impl Strategy<Value = Say> {
    let fragments = prop::sample::select(vec![
        "GET / HTTP/1.1\r\n\r\n",
        "HEAD / HTTP/1.0\r\nConnection: close\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "PUT / HTTP/1.1\r\nContent-Length: 999\r\n\r\n",
        "CONNECT a:1 HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nUpgrade: x\r\n\r\n",
        "3\r\nabc\r\n",
        "0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 204 No\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 101 Switching\r\n\r\n",
        "GET / HTTP",
        "HTTP/1.1 200 ",
        "body",
        "123456789",
        "\r\n",
        "\n",
    ]);
    let text = prop_oneof![
        9 => vec(fragments, 1..4).prop_map(|parts| parts.concat().into_bytes()),
        1 => vec(any::<u8>(), 1..40),
    ];
    prop_oneof![
        8 => text.clone().prop_map(Say::C),
        8 => text.prop_map(Say::S),
        1 => (1..40u32).prop_map(GapC),
        1 => (1..40u32).prop_map(GapS),
        1 => Just(FinC),
        1 => Just(FinS),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_ledger_holds_whatever_comes(script in vec(anything(), 0..40), late: bool) {
        run(late, &script);
    }

    #[test]
    fn without_loss_every_exchange_completes(world in worlds(1..5, 0.0, EVIL)) {
        prop_assert_eq!(pairs(&world, 0, false), (0..world.plans.len()).collect::<Vec<_>>());
    }

    #[test]
    fn loss_never_shifts_a_pair(world in worlds(1..5, 0.15, EVIL_RESPONSES)) {
        pairs(&world, 0, false);
    }

    #[test]
    fn joining_late_never_shifts_a_pair(world in worlds(1..2, 0.1, GOOD), from in 0..30usize) {
        pairs(&world, from, true);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Once a client was seen waiting, losses cost the exchanges that they touch and no others, however many there are
    /// and in whichever direction.
    #[test]
    fn losses_cost_a_waiting_client_what_they_touch(world in worlds(1..2, 0.2, GOOD)) {
        let mut world = world;
        // A request is found again by the beginning of its line, in one piece.
        world.cuts.iter_mut().for_each(|cut| *cut = (*cut).max(12));
        let (mut frames, mut touched) = (world.frames(), BTreeSet::new());
        let exchange_at = exchanges_of(&world);
        let known = frames.iter().position(|frame| exchange_at(frame) >= 2).unwrap_or(frames.len());
        let lost: Vec<bool> = world.lost.iter().copied().cycle().take(frames.len()).collect();
        world.lost = lost.into_iter().enumerate().map(|(index, lost)| lost && index >= known).collect();
        for (frame, lost) in frames.drain(..).zip(&world.lost) {
            if *lost {
                touched.insert(exchange_at(&frame));
            }
        }
        let complete = pairs(&world, 0, false);
        let untouched: Vec<usize> = (0..world.plans.len()).filter(|id| !touched.contains(id)).collect();
        prop_assert!(untouched.iter().all(|id| complete.contains(id)), "{complete:?} of {untouched:?}");
    }
}

/// Which exchange a frame is of, for a client that waits.
fn exchanges_of(world: &World) -> impl Fn(&Sent) -> usize + use<> {
    let ends = |text: &dyn Fn(usize) -> String| -> Vec<i64> {
        let lens = (0..world.plans.len()).map(|id| text(id).len() as i64);
        lens.scan(0, |sum, len| {
            *sum += len;
            Some(*sum)
        })
        .collect()
    };
    let requests = ends(&|id| world.plans[id].request(id));
    let responses = ends(&|id| world.plans[id].response(id));
    move |frame| {
        let ends = if frame.side == Side::Client { &requests } else { &responses };
        ends.partition_point(|end| *end <= frame.start)
    }
}

/// The rules for lost bytes are only worth having if they lose little: once a client was seen waiting, one lost
/// frame costs its own exchange and no more than the one after it.
#[test]
fn one_lost_frame_costs_at_most_two_exchanges() {
    let plans = (0..7).map(|n| Plan { request: n % 4, response: n % 5, evil: GOOD, len: 30 }).collect();
    let mut world = World { plans, depth: 1, steady: false, cuts: vec![25], lost: vec![false] };
    let second = world.frames().iter().position(|frame| frame.data.starts_with(b"POST /1")).unwrap();
    for index in 0..world.frames().len() {
        world.lost = (0..1000).map(|n| n == index).collect();
        let complete = pairs(&world, 0, false);
        assert!(complete.len() >= 5 || index <= second + 1, "frame {index}: only {complete:?}");
    }
}
