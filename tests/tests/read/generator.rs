//! The captures that we make, read by tshark: it finds what we say is in them, but for what is listed.

use mirror_tests::traffic::{Capture, Exchange, Fate, Feature, Options};

use super::differences::{Difference, RARE_PER_MILLE, What, explained};
use super::tshark::{self, Start};

#[test]
fn tshark_finds_in_a_capture_what_we_put_there() {
    let (mut rare, mut messages) = (0, 0);
    for (seed, quirks) in [(1, false), (2, false), (3, true), (4, true), (5, true), (6, true)] {
        let capture = Capture::new(seed, Options { connections: 60, quirks, partial: quirks, decoys: true });
        let file = super::file(&capture.frames);
        messages += 2 * capture.exchanges().count();
        for difference in differences(&capture, &tshark::messages(file.path())) {
            let connection = &capture.connections[difference.connection];
            match explained(connection, difference.what) {
                Some(is_rare) => rare += usize::from(is_rare),
                None => panic!("seed {seed}: {difference:?} on {:?}", connection.features),
            }
        }
    }
    assert!(rare * 1000 <= messages * RARE_PER_MILLE, "{rare} rare differences in {messages} messages");
}

/// Where tshark and the truth differ, for each message.
pub fn differences(capture: &Capture, found: &[tshark::Message]) -> Vec<Difference> {
    let mut all = Vec::new();
    let pairs = tshark::pairs(found);
    for (connection, of) in capture.connections.iter().enumerate() {
        for exchange in of.exchanges.iter().filter(|exchange| exchange.fate != Fate::Unsure) {
            let mut differs = |what| all.push(Difference { connection, id: exchange.id.clone(), what });
            if !of.features.contains(&Feature::ServerOnly) {
                request(exchange, found, &mut differs);
            }
            if exchange.fate != Fate::Broken {
                response(exchange, found, &mut differs);
                if pairs.get(&exchange.id) != Some(&Some(exchange.id.clone())) {
                    differs(What::Pair);
                }
            }
        }
    }
    all
}

fn request(exchange: &Exchange, found: &[tshark::Message], differs: &mut impl FnMut(What)) {
    let start = Start::Request { method: exchange.method.clone(), target: exchange.target.clone() };
    let is_it = |m: &&tshark::Message| m.id.as_ref() == Some(&exchange.id) && m.start == start;
    let mut same = found.iter().filter(is_it);
    match same.next() {
        None => differs(What::Request),
        Some(_) if same.next().is_some() => differs(What::Twice),
        Some(message) if message.body != exchange.request.body => differs(What::RequestBody),
        Some(_) => {}
    }
}

fn response(exchange: &Exchange, found: &[tshark::Message], differs: &mut impl FnMut(What)) {
    let Some((status, response)) = &exchange.response else { return };
    let start = Start::Response(*status);
    let is_it = |m: &&tshark::Message| m.id.as_ref() == Some(&exchange.id) && m.start == start;
    let mut same = found.iter().filter(is_it);
    match same.next() {
        None => differs(What::Response),
        Some(_) if same.next().is_some() => differs(What::Twice),
        Some(message) if message.body != response.body => differs(What::ResponseBody),
        Some(_) => {}
    }
}
