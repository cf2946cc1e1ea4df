//! The kinds of connections there are, each a way to fill a dialogue.

use super::dialogue::{Dialogue, Ending};
use super::message::{Draft, Framing};
use super::rng::Rng;
use super::truth::{Fate, Feature, Side};

const V10: &str = "HTTP/1.0";
const V11: &str = "HTTP/1.1";

/// Everything that is said on a connection called `name`.
pub(super) fn dialogue(rng: &mut Rng, name: &str, decoys: bool) -> Dialogue {
    let mut dialogue = Dialogue::new(name, decoys);
    let ends = [Ending::Fin(Side::Client), Ending::Fin(Side::Server), Ending::Simultaneous];
    dialogue.ending = rng.pick(&ends);
    let plain = rng.len(0, 3);
    match rng.between(0, 99) {
        0..30 => turns(rng, &mut dialogue, plain + 1),
        30..50 => pipeline(rng, &mut dialogue),
        50..58 => expects(rng, &mut dialogue),
        58..64 => old(rng, &mut dialogue),
        64..72 => closes(rng, &mut dialogue, plain),
        72..78 => switches(rng, &mut dialogue, plain),
        78..84 => early(rng, &mut dialogue),
        84..90 => breaks(rng, &mut dialogue, plain),
        90..95 => stays_open(rng, &mut dialogue, plain),
        _ => resets(rng, &mut dialogue, plain),
    }
    dialogue
}

/// One request after another, each answered before the next.
fn turns(rng: &mut Rng, dialogue: &mut Dialogue, count: usize) {
    for _ in 0..count {
        ask(rng, dialogue, V11);
        if rng.chance(100) {
            interim(rng, dialogue);
        }
        answer(rng, dialogue, V11);
    }
}

/// Requests ahead of their answers, up to all of them.
fn pipeline(rng: &mut Rng, dialogue: &mut Dialogue) {
    dialogue.features.insert(Feature::Pipelined);
    let (mut left, ahead) = (rng.len(2, 12), rng.len(2, 12));
    ask(rng, dialogue, V11);
    ask(rng, dialogue, V11);
    while left > 0 || dialogue.owed() > 0 {
        if left > 0 && dialogue.owed() < ahead && rng.chance(600) {
            ask(rng, dialogue, V11);
            left -= 1;
        } else if dialogue.owed() > 0 {
            answer(rng, dialogue, V11);
        }
    }
}

/// `Expect: 100-continue`, with every way it can go.
fn expects(rng: &mut Rng, dialogue: &mut Dialogue) {
    let target = format!("/expect/{}", dialogue.next_id());
    let way = rng.pick(&[Feature::ContinueAccepted, Feature::ContinueIgnored, Feature::ContinueRefused]);
    dialogue.features.insert(way);
    let draft = Draft::request(rng, &dialogue.next_id(), "PUT", &target, V11)
        .field("Expect", "100-continue")
        .content(rng, Framing::Length, dialogue.decoys);
    let refusal = |rng: &mut Rng, id: &str| Draft::response(rng, id, 417, V11).field("Content-Length", "0");
    if way == Feature::ContinueRefused {
        return refused(rng, dialogue, &target, draft);
    }
    dialogue.ask(rng, "PUT", &target, draft, &mut |dialogue, rng, _| match way {
        Feature::ContinueAccepted => {
            dialogue.say(Side::Server, b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        _ => {
            let (id, _) = dialogue.asked();
            let draft = refusal(rng, &id);
            dialogue.answer(rng, 417, draft);
        }
    });
    if dialogue.owed() > 0 {
        answer(rng, dialogue, V11);
    }
    turns(rng, dialogue, 1);
}

/// The client takes the answer instead of the 100, and closes: the body is never sent.
fn refused(rng: &mut Rng, dialogue: &mut Dialogue, target: &str, mut draft: Draft) {
    draft.content = rng.bytes(1000);
    let announced = draft.content.len();
    draft.framing = Framing::None;
    draft.content.clear();
    let draft = draft.field("Content-Length", &announced.to_string());
    let index = dialogue.ask(rng, "PUT", target, draft, &mut |_, _, _| {});
    let (id, _) = dialogue.asked();
    let draft = Draft::response(rng, &id, 417, V11).field("Content-Length", "0");
    dialogue.answer(rng, 417, draft);
    dialogue.exchanges[index].fate = Fate::Broken;
    dialogue.ending = Ending::Fin(Side::Client);
}

/// HTTP/1.0, one request, or several with keep-alive.
fn old(rng: &mut Rng, dialogue: &mut Dialogue) {
    for _ in 0..rng.len(0, 2) {
        let target = format!("/old/{}", dialogue.next_id());
        let draft = Draft::request(rng, &dialogue.next_id(), "GET", &target, V10);
        dialogue.ask(rng, "GET", &target, draft.field("Connection", "keep-alive"), &mut |_, _, _| {});
        let (id, _) = dialogue.asked();
        let draft = Draft::response(rng, &id, 200, V10).field("Connection", "keep-alive");
        let draft = draft.content(rng, Framing::Length, dialogue.decoys);
        dialogue.answer(rng, 200, draft);
    }
    ask(rng, dialogue, V10);
    last_answer(rng, dialogue, V10);
}

/// The last answer ends with the connection.
fn closes(rng: &mut Rng, dialogue: &mut Dialogue, plain: usize) {
    turns(rng, dialogue, plain);
    let target = format!("/close/{}", dialogue.next_id());
    let draft = Draft::request(rng, &dialogue.next_id(), "GET", &target, V11);
    dialogue.ask(rng, "GET", &target, draft.field("Connection", "close"), &mut |_, _, _| {});
    last_answer(rng, dialogue, V11);
}

fn last_answer(rng: &mut Rng, dialogue: &mut Dialogue, version: &'static str) {
    let (id, method) = dialogue.asked();
    let draft = Draft::response(rng, &id, 200, version).field("Connection", "close");
    let draft = match method.as_str() {
        "HEAD" => draft,
        _ => draft.content(rng, Framing::Close, dialogue.decoys),
    };
    dialogue.answer(rng, 200, draft);
    dialogue.ending = Ending::Fin(Side::Server);
}

/// 101 or a tunnel, and then bytes that are no HTTP.
fn switches(rng: &mut Rng, dialogue: &mut Dialogue, plain: usize) {
    turns(rng, dialogue, plain);
    let id = dialogue.next_id();
    if rng.chance(500) {
        dialogue.features.insert(Feature::Connect);
        let target = format!("host-{}.test:8443", id.replace('.', "-"));
        let draft = Draft::request(rng, &id, "CONNECT", &target, V11);
        dialogue.ask(rng, "CONNECT", &target, draft, &mut |_, _, _| {});
        let draft = Draft::response(rng, &id, 200, V11);
        dialogue.answer(rng, 200, draft);
    } else {
        dialogue.features.insert(Feature::Upgrade);
        let (target, protocol) = (format!("/switch/{id}"), rng.pick(&["echo/1", "websocket"]));
        let draft = Draft::request(rng, &id, "GET", &target, V11)
            .field("Connection", "Upgrade")
            .field("Upgrade", protocol);
        dialogue.ask(rng, "GET", &target, draft, &mut |_, _, _| {});
        let draft =
            Draft::response(rng, &id, 101, V11).field("Connection", "Upgrade").field("Upgrade", protocol);
        dialogue.answer(rng, 101, draft);
    }
    if let Some(last) = dialogue.exchanges.last_mut() {
        last.fate = Fate::Upgraded;
    }
    for from in [Side::Client, Side::Server, Side::Client] {
        let len = rng.len(1, 3000);
        let opaque = rng.bytes(len);
        dialogue.say(from, &opaque);
    }
}

/// The answer comes while the body is still on its way (RFC 9112, section 9.3).
fn early(rng: &mut Rng, dialogue: &mut Dialogue) {
    dialogue.features.insert(Feature::Early);
    let target = format!("/early/{}", dialogue.next_id());
    let framing = rng.pick(&[Framing::Length, Framing::Chunked]);
    let draft = Draft::request(rng, &dialogue.next_id(), "POST", &target, V11);
    let draft = draft.content(rng, framing, dialogue.decoys);
    dialogue.ask(rng, "POST", &target, draft, &mut |dialogue, rng, _| answer(rng, dialogue, V11));
    turns(rng, dialogue, 1);
}

/// The connection breaks inside the last answer, or before it.
fn breaks(rng: &mut Rng, dialogue: &mut Dialogue, plain: usize) {
    turns(rng, dialogue, plain);
    let target = format!("/break/{}", dialogue.next_id());
    let draft = Draft::request(rng, &dialogue.next_id(), "GET", &target, V11);
    dialogue.ask(rng, "GET", &target, draft, &mut |_, _, _| {});
    if rng.chance(500) {
        dialogue.features.insert(Feature::Unanswered);
        dialogue.ending = rng.pick(&[Ending::Fin(Side::Server), Ending::Reset(Side::Server), Ending::Open]);
        return;
    }
    dialogue.features.insert(Feature::Cut);
    let (id, _) = dialogue.asked();
    let (len, framing) = (rng.len(2, 5000), rng.pick(&[Framing::Length, Framing::Chunked]));
    let mut draft = Draft::response(rng, &id, 200, V11).content(rng, framing, false);
    draft.content = rng.bytes(len);
    let encoded = draft.encode(rng);
    let sent = rng.len(0, encoded.body.len() - 1);
    dialogue.say(Side::Server, &encoded.head);
    dialogue.say(Side::Server, &encoded.body[..sent]);
    dialogue.ending = rng.pick(&[Ending::Fin(Side::Server), Ending::Reset(Side::Server), Ending::Open]);
}

/// Whole exchanges, and no end.
fn stays_open(rng: &mut Rng, dialogue: &mut Dialogue, plain: usize) {
    turns(rng, dialogue, plain + 1);
    dialogue.ending = Ending::Open;
}

/// Whole exchanges, and a RST.
fn resets(rng: &mut Rng, dialogue: &mut Dialogue, plain: usize) {
    turns(rng, dialogue, plain + 1);
    dialogue.ending = Ending::Reset(rng.pick(&[Side::Client, Side::Server]));
}

/// Any request that needs no special answer.
fn ask(rng: &mut Rng, dialogue: &mut Dialogue, version: &'static str) {
    let id = dialogue.next_id();
    let method = rng.pick(&["GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]);
    let target = match method {
        "OPTIONS" if version == V11 => "*".to_owned(),
        _ if rng.chance(100) => format!("http://service.test/absolute/{id}?q=1"),
        _ => format!("/a/{id}?{}", "q".repeat(rng.len(0, 60))),
    };
    let draft = Draft::request(rng, &id, method, &target, version);
    let draft = match method {
        "POST" | "PUT" if version == V10 => draft.content(rng, Framing::Length, dialogue.decoys),
        "POST" | "PUT" => {
            let framing = rng.pick(&[Framing::Length, Framing::Chunked]);
            draft.content(rng, framing, dialogue.decoys)
        }
        _ => draft,
    };
    dialogue.ask(rng, method, &target, draft, &mut |_, _, _| {});
}

/// Interim answers (RFC 9110, section 15.2).
fn interim(rng: &mut Rng, dialogue: &mut Dialogue) {
    dialogue.features.insert(Feature::Interim);
    for _ in 0..rng.len(1, 3) {
        let early = rng.pick(&[
            "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n",
            "HTTP/1.1 102 Processing\r\n\r\n",
        ]);
        dialogue.say(Side::Server, early.as_bytes());
    }
}

/// Any final answer that leaves the connection open.
fn answer(rng: &mut Rng, dialogue: &mut Dialogue, version: &'static str) {
    let (id, method) = dialogue.asked();
    let status = rng.pick(&[200, 200, 200, 201, 204, 304, 404, 500]);
    let draft = Draft::response(rng, &id, status, version);
    let says_length = (method == "HEAD" && status != 204) || status == 304;
    let draft = if says_length && rng.chance(700) {
        dialogue.features.insert(Feature::BodilessWithLength);
        draft.field("Content-Length", "12345").field("Content-Type", "application/octet-stream")
    } else if method == "HEAD" || matches!(status, 204 | 304) {
        draft
    } else {
        let framing = rng.pick(&[Framing::Length, Framing::Length, Framing::Chunked]);
        draft.content(rng, framing, dialogue.decoys)
    };
    dialogue.answer(rng, status, draft);
}
