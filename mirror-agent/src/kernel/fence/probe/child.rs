//! What the probing process does. It sends nothing even where the fence is gone: its sockets are bound to loopback,
//! which leads to none of the addresses.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::str::FromStr;

use mirror_common::fence::hook;
use socket2::{Domain, Socket, Type};

use super::Answer;

/// What the process says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// What each call gave, by hook.
    Answers([Answer; hook::COUNT]),
    /// The cgroup does not take it: the error's number.
    NotJoined(i32),
}

/// Joins the cgroup, calls, and returns what is to be printed.
///
/// # Errors
///
/// When a socket cannot be bound to loopback: then nothing is called.
pub fn run(cgroup: &Path, targets: [SocketAddr; 2]) -> io::Result<Said> {
    // "0" is whoever writes.
    if let Err(error) = std::fs::write(cgroup.join("cgroup.procs"), "0") {
        return Ok(Said::NotJoined(error.raw_os_error().unwrap_or(libc::EIO)));
    }
    let [v4, v6] = targets;
    Ok(Said::Answers([connect(v4)?, connect(v6)?, send(v4)?, send(v6)?]))
}

fn connect(to: SocketAddr) -> io::Result<Answer> {
    let Some(socket) = socket(to, Type::STREAM)? else { return Ok(Answer::NoSockets) };
    answer(socket.connect(&to.into()))
}

fn send(to: SocketAddr) -> io::Result<Answer> {
    let Some(socket) = socket(to, Type::DGRAM)? else { return Ok(Answer::NoSockets) };
    answer(socket.send_to(&[0], &to.into()).map(drop))
}

/// A socket that never waits, and that only loopback carries anything for; `None` where the kernel has none of the family.
fn socket(to: SocketAddr, kind: Type) -> io::Result<Option<Socket>> {
    let socket = match Socket::new(Domain::for_address(to), kind, None) {
        Err(error) if error.raw_os_error() == Some(libc::EAFNOSUPPORT) => return Ok(None),
        socket => socket?,
    };
    socket.set_nonblocking(true)?;
    socket.bind_device(Some(b"lo"))?;
    Ok(Some(socket))
}

fn answer(result: io::Result<()>) -> io::Result<Answer> {
    match result {
        Ok(()) => Ok(Answer::Errno(0)),
        Err(error) => error.raw_os_error().map(Answer::Errno).ok_or(error),
    }
}

/// One line: `joined 1 1 1 1`, or `not-joined 16`. An IPv6 that is not there is `-`.
impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Said::NotJoined(errno) => write!(f, "not-joined {errno}"),
            Said::Answers(answers) => {
                f.write_str("joined")?;
                answers.iter().try_for_each(|answer| match answer {
                    Answer::Errno(errno) => write!(f, " {errno}"),
                    Answer::NoSockets => f.write_str(" -"),
                })
            }
        }
    }
}

/// Reads what [`Said`] displays.
pub fn parse(text: &str) -> Option<Said> {
    let mut words = text.split_whitespace();
    let said = match words.next()? {
        "not-joined" => Said::NotJoined(words.next()?.parse().ok()?),
        "joined" => {
            let mut answer = || match words.next()? {
                "-" => Some(Answer::NoSockets),
                errno => i32::from_str(errno).ok().map(Answer::Errno),
            };
            Said::Answers([answer()?, answer()?, answer()?, answer()?])
        }
        _ => return None,
    };
    words.next().is_none().then_some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_understood() {
        let refused = Answer::Errno(libc::EPERM);
        for said in [
            Said::NotJoined(libc::EBUSY),
            Said::Answers([refused.clone(), Answer::NoSockets, refused, Answer::Errno(0)]),
        ] {
            assert_eq!(parse(&said.to_string()), Some(said));
        }
        for nonsense in
            ["", "joined", "joined 1 1 1", "joined 1 1 1 1 1", "joined 1 1 1 x", "not-joined", "joined1"]
        {
            assert_eq!(parse(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn an_unfenced_call_sends_nothing_and_does_not_wait() {
        // Nothing denies it here: the addresses are of nobody, and loopback leads to none of them.
        for to in ["192.0.2.1:9", "[2001:db8::1]:9"] {
            let to: SocketAddr = to.parse().unwrap();
            let answers = [connect(to).unwrap(), send(to).unwrap()];
            assert!(!answers.contains(&Answer::Errno(libc::EPERM)), "{answers:?}");
        }
    }
}
