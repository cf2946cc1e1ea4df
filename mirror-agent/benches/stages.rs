//! How fast each stage is by itself, and all of them together, on one core and from memory.

#![expect(clippy::unwrap_used, reason = "a benchmark panics")]

mod traffic;

use std::io::Cursor;
use std::sync::OnceLock;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use mirror_agent::exchange::{Conversation, Shared};
use mirror_agent::http::{Asked, Limits, RequestDecoder, ResponseDecoder, ResponseItem};
use mirror_agent::intake::file::File;
use mirror_agent::packet::{Decoder, Options, Side};
use mirror_agent::read::engine::Engine;
use mirror_agent::read::record::Record;
use mirror_agent::stream::{self, Close, Event, Streams};
use mirror_agent::time::Nanos;
use sha2::{Digest as _, Sha256};
use traffic::{Kind, Piece, Traffic};

/// Bytes of a capture; larger than what a core keeps for itself.
const SIZE: usize = 32 << 20;

fn main() {
    divan::main();
}

fn traffic(kind: Kind) -> &'static Traffic {
    static ALL: [OnceLock<Traffic>; 3] = [const { OnceLock::new() }; 3];
    ALL[kind as usize].get_or_init(|| Traffic::new(kind, SIZE))
}

/// Per frame and byte of the file.
fn by_frame(bencher: Bencher<'_, '_>, kind: Kind, run: impl Fn(&'static Traffic) -> u64 + Sync) {
    let traffic = traffic(kind);
    let bencher = bencher.counter(ItemsCount::new(traffic.frames.len()));
    bencher.counter(BytesCount::new(traffic.file.len())).bench(|| black_box(run(traffic)));
}

/// Per exchange and byte of payload.
fn by_exchange(bencher: Bencher<'_, '_>, kind: Kind, run: impl Fn(&'static Traffic) -> u64 + Sync) {
    let traffic = traffic(kind);
    let bencher = bencher.counter(ItemsCount::new(traffic.exchanges));
    bencher.counter(BytesCount::new(traffic.payload())).bench(|| black_box(run(traffic)));
}

/// Items are frames.
#[divan::bench(args = Kind::ALL, sample_count = 10, sample_size = 1)]
fn a_file(bencher: Bencher<'_, '_>, kind: Kind) {
    by_frame(bencher, kind, |traffic| {
        let mut file = File::from_reader("bench", Cursor::new(&traffic.file[..])).unwrap();
        let mut bytes = 0;
        while let Some(record) = file.next().unwrap() {
            bytes += black_box(record).data.len() as u64;
        }
        bytes
    });
}

/// Items are frames.
#[divan::bench(args = Kind::ALL, sample_count = 10, sample_size = 1)]
fn b_packet(bencher: Bencher<'_, '_>, kind: Kind) {
    by_frame(bencher, kind, |traffic| {
        let mut decoder = Decoder::new(Options::default());
        let frames = traffic.frames.iter();
        frames.map(|frame| decoder.decode(&traffic.frame(frame)).unwrap().payload.len() as u64).sum()
    });
}

/// Items are frames.
#[divan::bench(args = Kind::ALL, sample_count = 10, sample_size = 1)]
fn c_stream(bencher: Bencher<'_, '_>, kind: Kind) {
    let segments = traffic(kind).segments();
    by_frame(bencher, kind, |_| {
        let mut streams: Streams<()> = Streams::new(stream::Limits::default());
        let mut bytes = 0;
        for (side, key, segment) in &segments {
            streams.on_segment(*side, key, segment, &mut |_, event| {
                if let Event::Chunk { data, .. } = event {
                    bytes += data.len() as u64;
                }
            });
        }
        bytes
    });
}

/// Items are exchanges.
#[divan::bench(args = Kind::ALL, sample_count = 10, sample_size = 1)]
fn d_http(bencher: Bencher<'_, '_>, kind: Kind) {
    let limits = Limits::default();
    by_exchange(bencher, kind, |traffic| {
        let decoders = || (RequestDecoder::new(false), ResponseDecoder::new());
        let mut connections: Vec<_> = (0..traffic.connections).map(|_| decoders()).collect();
        let mut items = 0;
        for piece in &traffic.pieces {
            let mut data = &traffic.file[piece.place.clone()];
            let (requests, responses) = &mut connections[piece.connection];
            match piece.from {
                Side::Client => {
                    responses.expect(Asked::Other);
                    while let Some(item) = requests.push(piece.at, &mut data, &limits) {
                        black_box(item);
                    }
                }
                Side::Server => {
                    while let Some(item) = responses.push(piece.at, &mut data, &limits) {
                        items += u64::from(matches!(item, ResponseItem::Complete { .. }));
                    }
                }
            }
        }
        assert_eq!(items, traffic.exchanges);
        items
    });
}

/// With `http`. Items are exchanges.
#[divan::bench(args = Kind::ALL, sample_count = 10, sample_size = 1)]
fn e_exchange(bencher: Bencher<'_, '_>, kind: Kind) {
    by_exchange(bencher, kind, |traffic| {
        let mut shared = Shared::new(Limits::default(), usize::MAX);
        let mut connections: Vec<Option<Conversation>> = Vec::new();
        connections.resize_with(traffic.connections, || None);
        let mut said = 0;
        for piece in &traffic.pieces {
            let conversation = connections[piece.connection].get_or_insert_default();
            let data = &traffic.file[piece.place.clone()];
            let Piece { from, at, offset, ack, .. } = *piece;
            let event = Event::Chunk { from, at, offset, ack: Some(ack), data };
            conversation.on_event(&event, &mut shared, &mut |_| said += 1);
            if kind == Kind::Short && piece.from == Side::Server {
                let closed = Event::Closed { at: piece.at, how: Close::Fin };
                conversation.on_event(&closed, &mut shared, &mut |_| said += 1);
                connections[piece.connection] = None;
            }
        }
        said
    });
}

/// Packet, stream, http and exchange, and the accounts of `read`, whose text asks for no digests: bodies that are kept
/// whole are not hashed. Items are exchanges.
#[divan::bench(args = Kind::ALL, sample_count = 10, sample_size = 1)]
fn f_engine(bencher: Bencher<'_, '_>, kind: Kind) {
    by_exchange(bencher, kind, |traffic| {
        engine(traffic, |record| {
            black_box(record);
        })
    });
}

/// The same with the digests of both bodies, as in JSON. Items are exchanges.
#[divan::bench(args = Kind::ALL, sample_count = 10, sample_size = 1)]
fn g_engine_and_digests(bencher: Bencher<'_, '_>, kind: Kind) {
    by_exchange(bencher, kind, |traffic| {
        engine(traffic, |record| {
            black_box(record.request.map(|request| request.body.sha256()));
            black_box(record.response.map(|response| response.body.sha256()));
        })
    });
}

fn engine(traffic: &Traffic, mut sink: impl FnMut(&Record<'_>)) -> u64 {
    let mut engine = Engine::new(&[], Options::default());
    for frame in &traffic.frames {
        engine.on_frame(&traffic.frame(frame), &mut sink);
    }
    engine.end(&mut sink);
    assert_eq!(engine.exchanges(), traffic.exchanges);
    engine.exchanges()
}

/// What hashing alone takes. Items are answers.
#[divan::bench(args = Kind::ALL, sample_count = 10, sample_size = 1)]
fn h_hash(bencher: Bencher<'_, '_>, kind: Kind) {
    let len = if kind == Kind::Large { 1 << 20 } else { 100 };
    let content = vec![7u8; len];
    let count = traffic(kind).exchanges;
    let bencher = bencher.counter(ItemsCount::new(count)).counter(BytesCount::new(count * len as u64));
    bencher.bench(|| {
        for _ in 0..count {
            let mut hash = Sha256::new();
            content.chunks(1448).for_each(|part| hash.update(part));
            black_box(hash.finalize());
        }
        Nanos(count)
    });
}
