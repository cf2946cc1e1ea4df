//! One kept-alive connection of a user: requests out in one write, responses in.

use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::plan::Job;

/// How long a user waits for the next byte.
const PATIENCE: Duration = Duration::from_secs(10);
const LARGEST_HEAD: u64 = 64 << 10;

/// A connection that is made when it is first needed, and again after a failure.
pub(super) struct Connection {
    target: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
}

impl Connection {
    pub(super) fn new(target: SocketAddr) -> Connection {
        Connection { target, stream: None }
    }

    /// Sends all requests of `job` at once and calls `answered` with the status of each response as it ends.
    pub(super) fn exchange(&mut self, job: &Job, mut answered: impl FnMut(u16)) -> Result<()> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(self.target).with_context(|| format!("connect to {}", self.target))?,
        };
        stream.get_mut().write_all(&job.requests.concat()).context("send")?;
        for _ in &job.requests {
            answered(read_response(&mut stream).context("receive")?);
        }
        self.stream = Some(stream); // only a connection that did well is used again
        Ok(())
    }
}

fn connect(target: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect_timeout(&target, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(BufReader::with_capacity(64 << 10, stream))
}

/// Reads one response to its end and gives its status.
fn read_response(stream: &mut BufReader<impl Read>) -> Result<u16> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let read = stream.by_ref().take(LARGEST_HEAD).read_until(b'\n', &mut head)?;
        if read == 0 || head.len() as u64 > LARGEST_HEAD {
            bail!("the connection ended inside a head");
        }
    }
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    response.parse(&head)?;
    let header = |name| response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
    if header("transfer-encoding").is_some() {
        skip_chunks(stream)?;
    } else {
        let length = header("content-length").context("neither a length nor chunks")?;
        skip(stream, std::str::from_utf8(length.value)?.parse()?)?;
    }
    response.code.context("no status")
}

/// Skips a chunked body without trailers (RFC 9112, section 7.1).
fn skip_chunks(stream: &mut BufReader<impl Read>) -> Result<()> {
    loop {
        let mut line = String::new();
        stream.by_ref().take(64).read_line(&mut line)?;
        let size = u64::from_str_radix(line.trim_end(), 16).context("size of a chunk")?;
        skip(stream, size + 2)?;
        if size == 0 {
            return Ok(());
        }
    }
}

fn skip(stream: &mut BufReader<impl Read>, length: u64) -> Result<()> {
    if io::copy(&mut stream.take(length), &mut io::sink())? < length {
        bail!("the connection ended inside a body");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello\
        HTTP/1.1 404 Not Found\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n";

    #[test]
    fn reads_what_was_pipelined() {
        let mut stream = BufReader::with_capacity(7, TWO);
        assert_eq!(read_response(&mut stream).unwrap(), 200);
        assert_eq!(read_response(&mut stream).unwrap(), 404);
        assert!(read_response(&mut stream).is_err());
    }

    #[test]
    fn every_prefix_gives_what_is_whole_in_it() {
        let first = TWO.windows(5).position(|window| window == b"hello").unwrap() + 5;
        for end in 0..=TWO.len() {
            let mut stream = BufReader::new(&TWO[..end]);
            let whole = (0..3).take_while(|_| read_response(&mut stream).is_ok()).count();
            assert_eq!(whole, usize::from(end >= first) + usize::from(end == TWO.len()), "{end} bytes");
        }
    }
}
