//! Messages in pieces: however they are cut, the same is said of them, and no more is held than the limits allow.

use mirror_agent::http::{Asked, Limits, RequestDecoder, ResponseDecoder, ResponseItem};
use mirror_agent::time::Nanos;

use crate::input::{Input, pieces};

const AT: Nanos = Nanos(1);

/// Small enough for a fuzzer to reach.
pub(crate) const LIMITS: Limits = Limits {
    head: 512,
    headers: 8,
    request_body: 64,
    response_body: 16,
    interim: 3,
    pipeline: 4,
    pending: 4096,
};

/// What a decoder may hold: a head twice, its lines, a body as framed and as content, and what vectors round up to.
const HELD: usize = 8192;

/// A number of cuts, the cuts, and the client's bytes.
pub(crate) fn requests(data: &[u8]) {
    let mut input = Input(data);
    let cuts = usize::from(input.u8()) % 32;
    let cuts = input.take(cuts);
    let whole = read_requests(&[input.0], None);
    assert_eq!(whole, read_requests(&pieces(input.0, cuts), None));
    assert_eq!(whole, read_requests(&input.0.chunks(1).collect::<Vec<_>>(), None), "byte by byte");
    // What comes of a hole depends on where the pieces begin; it must not break anything.
    read_requests(&pieces(input.0, cuts), Some(cuts));
}

/// What is asked, a number of cuts, the cuts, and the server's bytes.
pub(crate) fn responses(data: &[u8]) {
    let mut input = Input(data);
    let asked = input.u8();
    let cuts = usize::from(input.u8()) % 32;
    let cuts = input.take(cuts);
    let whole = read_responses(asked, &[input.0], None);
    assert_eq!(whole, read_responses(asked, &pieces(input.0, cuts), None));
    let bytes: Vec<_> = input.0.chunks(1).collect();
    assert_eq!(whole, read_responses(asked, &bytes, None), "byte by byte");
    read_responses(asked, &pieces(input.0, cuts), Some(cuts));
}

fn read_requests(pieces: &[&[u8]], gaps: Option<&[u8]>) -> Vec<String> {
    let mut decoder = RequestDecoder::new(false);
    let mut said = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        let mut data = *piece;
        while let Some(item) = decoder.push(AT, &mut data, &LIMITS) {
            said.push(format!("{item:?}"));
        }
        assert!(data.is_empty());
        assert!(decoder.allocated() <= HELD, "{} bytes", decoder.allocated());
        if let Some(gap) = gaps.and_then(|gaps| gaps.get(index)) {
            said.push(format!("{:?}", decoder.gap(u64::from(*gap))));
        }
    }
    said.push(format!("{:?}", decoder.end()));
    said
}

fn read_responses(asked: u8, pieces: &[&[u8]], gaps: Option<&[u8]>) -> Vec<String> {
    let mut decoder = ResponseDecoder::new();
    let (mut asked, mut said) = (Questions(asked), Vec::new());
    decoder.expect(asked.next());
    for (index, piece) in pieces.iter().enumerate() {
        let mut data = *piece;
        while let Some(item) = decoder.push(AT, &mut data, &LIMITS) {
            if matches!(item, ResponseItem::Complete { .. } | ResponseItem::Holed(_)) {
                decoder.expect(asked.next());
            }
            said.push(format!("{item:?}"));
        }
        assert!(data.is_empty());
        assert!(decoder.allocated() <= HELD, "{} bytes", decoder.allocated());
        if let Some(gap) = gaps.and_then(|gaps| gaps.get(index))
            && !decoder.gap(u64::from(*gap))
        {
            said.push(format!("{:?}", decoder.abandon()));
            decoder.expect(asked.next());
        }
    }
    said.push(format!("{:?}", decoder.end()));
    said
}

/// What is asked, two bits each, over and over.
struct Questions(u8);

impl Questions {
    fn next(&mut self) -> Asked {
        self.0 = self.0.rotate_right(2);
        match self.0 >> 6 {
            0 | 1 => Asked::Other,
            2 => Asked::Head,
            _ => Asked::Connect,
        }
    }
}
