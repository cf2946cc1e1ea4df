//! A GET over a Unix socket, with nothing of the agent's own code in it.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

const PATIENCE: Duration = Duration::from_secs(5);

/// The body of a 200 with a `content-length`.
pub(super) fn get(socket: &Path, target: &str) -> Result<Vec<u8>> {
    let mut stream =
        UnixStream::connect(socket).with_context(|| format!("connect to {}", socket.display()))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {target} HTTP/1.1\r\nhost: agent\r\nconnection: close\r\n\r\n")?;
    let mut received = Vec::new();
    loop {
        if let Some(body) = body(target, &received)? {
            return Ok(body);
        }
        let mut buffer = [0; 8192];
        let read = match stream.read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue, // a timeout keeps the kernel from reading on
            read => read?,
        };
        ensure!(read > 0, "{target}: the connection ended inside the response");
        received.extend_from_slice(&buffer[..read]);
    }
}

/// The body, once all of it is there.
fn body(target: &str, received: &[u8]) -> Result<Option<Vec<u8>>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(start) = response.parse(received)? else { return Ok(None) };
    let length = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length: usize = std::str::from_utf8(length.context("no content-length")?.value)?.parse()?;
    let Some(body) = received.get(start..start + length) else { return Ok(None) };
    if response.code != Some(200) {
        bail!("{target}: {} {}", response.code.unwrap_or(0), String::from_utf8_lossy(body).trim());
    }
    Ok(Some(body.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_given_when_it_is_whole() {
        let response = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc";
        for end in 0..=response.len() {
            let expected = (end == response.len()).then(|| b"abc".to_vec());
            assert_eq!(body("/", &response[..end]).unwrap(), expected, "{end} bytes");
        }
    }

    #[test]
    fn an_error_says_which() {
        let error = body("/v1/x", b"HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\nnone").unwrap_err();
        assert_eq!(error.to_string(), "/v1/x: 404 none");
    }
}
