//! What v2 sees of a broken connection, told by a v2 that is no program of ours.

use std::process::Command;

use mirror_tests::load::Load;
use mirror_tests::service::{Service, Version};
use mirror_tests::wait::until;
use mirror_tests::world::{Host, World};

use crate::scene::{PATIENCE, Scene, agent, assert_balanced, sum};

/// Answers every request, and writes how each connection ended: `reset` or `closed`, and what was there of a request.
const CURIOUS: &str = "\
import socket, sys, threading
door = socket.create_server(('', 8080), backlog=128)
lock = threading.Lock()
def serve(guest):
    rest, end = b'', 'closed'
    try:
        while True:
            read = guest.recv(65536)
            if not read: break
            rest += read
            while b'\\r\\n\\r\\n' in rest:
                rest = rest.split(b'\\r\\n\\r\\n', 1)[1]
                guest.sendall(b'HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\nok')
    except ConnectionResetError:
        end = 'reset'
    except BrokenPipeError:
        pass
    with lock:
        print(end, len(rest), file=sys.stderr, flush=True)
print('listening', file=sys.stderr, flush=True)
while True:
    guest, _ = door.accept()
    guest.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    threading.Thread(target=serve, args=(guest,), daemon=True).start()
";

#[test]
fn a_reset_comes_in_the_middle_of_a_request_and_an_abort_behind_a_whole_one() {
    for (fault, is_whole) in [("reset", false), ("abort", true)] {
        let world = World::new().unwrap();
        let v1 = Service::start(&world, Host::V1, Version::V1).unwrap();
        let mut curious = Command::new("python3");
        let curious = world.spawn(Host::V2, curious.args(["-c", CURIOUS]), Some("curious.log")).unwrap();
        until("v2", PATIENCE, || Ok(curious.log().contains("listening").then_some(()))).unwrap();
        let agent = agent(&world, &[]);
        let wishes = ["--get", "/users/{n}", "--connections", "24"];
        let users = Load::start(&world, Host::V1.service(), 150.0, PATIENCE * 3, &wishes).unwrap();
        let scene = Scene { agent, users, v1, v2: None, world };

        let file = scene.experiment(&format!("- {{fault: {fault}, share: 40%, duration: 5s}}"), "");
        let (journal, code) = scene.run(&file);
        assert_eq!(code, Some(0), "{journal:#}");
        let met = sum(&journal["faults"]["met"][fault]) as usize;
        // The end of a connection is written when v2 has read so far.
        let ends = || -> Vec<(String, usize)> {
            let log = curious.log();
            let pairs = log.lines().filter_map(|line| line.split_once(' '));
            pairs.map(|(end, rest)| (end.to_owned(), rest.parse().unwrap())).collect()
        };
        until("v2 to have seen each end", PATIENCE, || Ok((ends().len() >= met).then_some(()))).unwrap();
        let ends = ends();
        if is_whole {
            assert!(ends.iter().all(|(_, rest)| *rest == 0), "half a request: {ends:?}");
        } else {
            // A reset throws away what v2 has not read: then nothing is there of the half.
            assert!(ends.iter().all(|(end, rest)| end == "reset" && *rest < 100), "{ends:?}");
            assert!(ends.iter().any(|(_, rest)| *rest > 0), "no half of a request: {ends:?}");
        }
        drop(scene.users);
        assert_balanced(&scene.agent.stop().unwrap());
    }
}
