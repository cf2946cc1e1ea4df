//! One connection to v2: sends bytes, reads one answer, bounded.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::faults::Met;
use super::pace::Pace;
use super::server::Server;
use crate::chaos::Kind;
use crate::http::{Asked, Limits, Method, Response, ResponseDecoder, ResponseItem};
use crate::ledger::V2Failure;
use crate::time::Nanos;

/// Bytes read at a time.
const BUFFER: usize = 16 << 10;

/// An answer, and the times of what was asked and answered, all on the connection's own clock.
pub struct Answered {
    /// The answer.
    pub response: Response,
    /// Whether the connection may be used again.
    pub reuse: bool,
    /// When the first byte of the request was sent.
    pub asked: Nanos,
    /// When the last one was; `None` if the answer was whole before.
    pub sent: Option<Nanos>,
}

/// When what happened to the last request on a connection, whatever became of it; on the connection's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moments {
    /// When its first byte was sent.
    pub asked: Nanos,
    /// When its last one was; `None` if the answer was whole before, or it never was.
    pub sent: Option<Nanos>,
    /// When the first byte of the answer came.
    pub begun: Option<Nanos>,
}

/// An open connection.
pub struct Connection {
    stream: TcpStream,
    decoder: ResponseDecoder,
    limits: Limits,
    opened: Instant,
    buffer: Box<[u8]>,
    moments: Moments,
}

impl Connection {
    /// Connects, with a socket that the taps know as ours.
    pub async fn open(server: &Server) -> std::io::Result<Self> {
        Ok(Connection {
            stream: connect(server).await?,
            decoder: ResponseDecoder::new(),
            limits: Limits::default(),
            opened: Instant::now(),
            buffer: vec![0; BUFFER].into(),
            moments: Moments::default(),
        })
    }

    /// How far the last request came.
    pub fn moments(&self) -> Moments {
        self.moments
    }

    /// The time on its clock.
    pub fn now(&self) -> Nanos {
        since(self.opened)
    }

    /// Sends a request and reads its answer. A failure says whether any byte of the answer had come.
    pub async fn ask(
        &mut self,
        wire: &[u8],
        method: &Method,
        met: Option<&Met>,
    ) -> Result<Answered, (V2Failure, bool)> {
        match met.map(|met| met.kind) {
            Some(Kind::Abort) => return Err(self.break_off(wire, false).await),
            Some(Kind::Reset) => return Err(self.break_off(wire, true).await),
            _ => {}
        }
        let (mut there, mut back) = (Pace::of(met), Pace::of(met));
        self.decoder.expect(Asked::of(method));
        // v2 may answer before it has read everything, so both go on at once.
        let (mut reader, mut writer) = self.stream.split();
        let mut answer = Reading {
            decoder: &mut self.decoder,
            limits: &self.limits,
            opened: self.opened,
            begun: &mut self.moments.begun,
        };
        let (opened, asked) = (self.opened, since(self.opened));
        (self.moments.asked, self.moments.sent, *answer.begun) = (asked, None, None);
        let (mut sent, sent_at) = (false, &mut self.moments.sent);
        let mut sending = std::pin::pin!(async {
            for piece in wire.chunks(there.piece(wire.len())) {
                there.until_due().await;
                writer.write_all(piece).await?;
                there.passed(piece.len());
            }
            std::io::Result::Ok(())
        });
        loop {
            tokio::select! {
                result = &mut sending, if !sent => match result {
                    Ok(()) => (sent, *sent_at) = (true, Some(since(opened))),
                    // What v2 said before it closed may still be there to read.
                    Err(_) => sent = true,
                },
                // Neither wait loses anything when the other branch comes first.
                read = async {
                    back.until_due().await;
                    let most = back.piece(BUFFER);
                    reader.read(&mut self.buffer[..most]).await
                } => match read {
                    Ok(0) => return answer.end().map(|response| Answered { response, reuse: false, asked, sent: *sent_at }),
                    Ok(read) => {
                        back.passed(read);
                        if let Some((response, reuse)) = answer.push(&self.buffer[..read])? {
                            return Ok(Answered { response, reuse: reuse && sent, asked, sent: *sent_at });
                        }
                    }
                    Err(_) => return Err((V2Failure::Reset, answer.begun.is_some())),
                },
            }
        }
    }

    /// Sends the request, or half of it and a reset behind it, and is of no use any more. Nobody asks again: it was we
    /// who broke it off.
    async fn break_off(&mut self, wire: &[u8], in_the_middle: bool) -> (V2Failure, bool) {
        let end = if in_the_middle { wire.len() / 2 } else { wire.len() };
        let _ = self.stream.write_all(&wire[..end]).await;
        if in_the_middle {
            let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)); // a close is a RST then (socket(7))
        }
        (V2Failure::Reset, true)
    }
}

/// An answer that is being read.
struct Reading<'a> {
    decoder: &'a mut ResponseDecoder,
    limits: &'a Limits,
    opened: Instant,
    begun: &'a mut Option<Nanos>,
}

impl Reading<'_> {
    fn push(&mut self, mut data: &[u8]) -> Result<Option<(Response, bool)>, (V2Failure, bool)> {
        let now = since(self.opened);
        self.begun.get_or_insert(now);
        loop {
            match self.decoder.push(now, &mut data, self.limits) {
                None => return Ok(None),
                Some(ResponseItem::Interim(_)) => {}
                Some(ResponseItem::Complete { response, reuse }) => {
                    // Bytes behind the answer belong to no request of ours.
                    return Ok(Some((*response, reuse && data.is_empty())));
                }
                Some(_) => return Err((V2Failure::Malformed, true)),
            }
        }
    }

    /// v2 has closed: that ends an answer without a length, and breaks every other.
    fn end(&mut self) -> Result<Response, (V2Failure, bool)> {
        match self.decoder.end() {
            Some(ResponseItem::Complete { response, .. }) => Ok(*response),
            _ => Err((V2Failure::Reset, self.begun.is_some())),
        }
    }
}

fn since(opened: Instant) -> Nanos {
    Nanos(u64::try_from(opened.elapsed().as_nanos()).unwrap_or(u64::MAX))
}

async fn connect(server: &Server) -> std::io::Result<TcpStream> {
    let socket = if server.address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    match SockRef::from(&socket).set_mark(server.mark) {
        Err(error) if server.must_mark || error.kind() != ErrorKind::PermissionDenied => return Err(error),
        _ => {}
    }
    let stream = socket.connect(server.address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
