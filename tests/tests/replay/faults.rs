//! What goes wrong: each is one clear line and exit code 1, after everything that could be done was done and summed up.

use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::process::Stdio;

use mirror_tests::wait::until;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::script::{Script, ok};
use crate::tool::{command, replay, said};
use crate::version::Version;

fn gets(count: u64, gap_ms: u64) -> Script {
    let mut script = Script::default();
    (0..count).for_each(|n| script.get(n as u16 % 4, n * gap_ms, &format!("/{n}")));
    script
}

/// An address where nobody listens, since the listener is gone.
fn nobody() -> std::net::SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn of_a_file_that_is_cut_what_was_readable_is_replayed() {
    let file = gets(20, 1).file();
    let bytes = fs::read(file.path()).unwrap();
    fs::write(file.path(), &bytes[..bytes.len() - 7]).unwrap();
    let v2 = Version::honest();
    let said = replay(file.path(), v2.address, &[]);
    said.check_balanced();
    assert_eq!((said.code, said.count("/requests/compared")), (Some(1), 19), "{said:?}");
    assert_eq!(v2.asked().len(), 19);
    let errors = said.errors();
    assert!(
        errors.len() == 1 && errors[0].contains("byte") && errors[0].starts_with("mirror-agent: "),
        "{errors:?}"
    );
}

#[test]
fn a_v2_that_is_down_is_named_once_and_the_rest_is_not_tried() {
    let to = nobody();
    let down = replay(gets(20, 500).file().path(), to, &[]);
    down.check_balanced();
    assert_eq!(down.code, Some(1), "{down:?}");
    assert!(down.count("/requests/v2_failed/connect") >= 1, "{down:?}");
    assert_eq!(down.count("/requests/compared"), 0);
    assert!(down.seconds("/elapsed_s") < 9.0, "the capture takes 9.5 s: {down:?}");
    let errors = down.errors();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains(&format!("cannot connect to v2 at {to}: Connection refused")), "{errors:?}");
}

#[test]
fn a_v1_that_is_down_is_named_where_it_is_asked() {
    let (v1, v2) = (nobody(), Version::honest());
    let said = replay(gets(4, 1).file().path(), v2.address, &["--against", &v1.to_string()]);
    said.check_balanced();
    assert_eq!((said.code, said.count("/requests/compared")), (Some(1), 0), "{said:?}");
    assert!(said.count("/requests/v1_unanswered") >= 1, "{said:?}");
    assert!(said.errors()[0].contains(&format!("cannot connect to v1 at {v1}")), "{said:?}");
}

#[test]
fn nothing_to_replay_is_an_error_that_says_why() {
    let v2 = Version::honest();
    let mut posts = Script::default();
    posts.turn(0, 0, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n", &ok("/"));
    let cases = [(Script::default(), "no HTTP request"), (posts, "none of 1 requests has a method")];
    for (script, expected) in cases {
        let said = replay(script.file().path(), v2.address, &[]);
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.errors()[0].contains(expected), "{said:?}");
    }
    let none = replay(std::path::Path::new("/dev/null"), v2.address, &[]);
    assert_eq!(none.code, Some(1));
    assert!(none.errors()[0].contains("/dev/null"), "{none:?}");
    assert!(v2.asked().is_empty());
}

#[test]
fn answers_that_never_come_are_counted_and_do_not_hold_up_the_end() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let said = replay(gets(8, 1).file().path(), silent.local_addr().unwrap(), &["--timeout", "100ms"]);
    said.check_balanced();
    assert_eq!((said.code, said.count("/requests/v2_failed/timeout")), (Some(1), 8), "{said:?}");
    assert!(said.errors()[0].contains("answered none of 8 requests"), "{said:?}");
}

#[test]
fn an_interrupt_stops_sending_and_sums_up() {
    let (v2, file) = (Version::honest(), gets(100, 1000).file());
    let mut command = command(&[file.path()], v2.address, &[]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let patience = std::time::Duration::from_secs(20);
    until("a request", patience, || Ok((!v2.asked().is_empty()).then_some(()))).unwrap();
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
    let status = until("its end", patience, || Ok(child.try_wait()?)).unwrap();
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    child.stdout.take().unwrap().read_to_end(&mut stdout).unwrap();
    child.stderr.take().unwrap().read_to_end(&mut stderr).unwrap();
    let ended = said(&std::process::Output { status, stdout, stderr });
    ended.check_balanced();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.count("/requests/compared"), v2.asked().len() as u64, "{ended:?}");
    assert!(v2.asked().len() < 50, "the capture takes 99 s: {ended:?}");
    assert!(ended.errors().last().unwrap().contains("interrupted"), "{ended:?}");
}

#[test]
fn the_text_says_the_same_and_shows_the_first_differences() {
    let v2 = Version::start(|target| if target == "/3" { ok("\u{1b}[2Jlie") } else { ok(target) });
    let mut text = std::process::Command::new(mirror_tests::agent_binary().unwrap());
    let file = gets(8, 1).file();
    let output =
        text.arg("replay").arg(file.path()).args(["--to", &v2.address.to_string()]).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{shown}");
    for expected in
        ["requests  8 seen, 8 compared", "ledger    balanced", "late      p50", "1 answer differs", "GET /3"]
    {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
}
