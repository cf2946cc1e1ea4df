//! What the kernel's eBPF offers, one thing at a time, so that a refusal of the whole can be explained. Asked by libbpf's
//! probes.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::ptr;

use libbpf_sys as libbpf;

use super::report::{Item, Row};

const PROGRAM_TYPES: [(&str, libbpf::bpf_prog_type, &str, Option<&str>); 2] = [
    ("program type sched_cls", libbpf::BPF_PROG_TYPE_SCHED_CLS, "the taps", None),
    (
        "program type cgroup_sock_addr",
        libbpf::BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
        "a fence around what v2 itself connects to",
        Some("no fence; mirroring does not use it"),
    ),
];

const MAP_TYPES: [(&str, libbpf::bpf_map_type, &str, Option<&str>); 4] = [
    ("map type array", libbpf::BPF_MAP_TYPE_ARRAY, "control words and histograms", None),
    ("map type hash", libbpf::BPF_MAP_TYPE_HASH, "endpoints and connections", None),
    ("map type percpu_array", libbpf::BPF_MAP_TYPE_PERCPU_ARRAY, "the counters of the ledger", None),
    (
        "map type ringbuf",
        libbpf::BPF_MAP_TYPE_RINGBUF,
        "events from the kernel, such as TLS plaintext",
        Some("no events; mirroring does not use them"),
    ),
];

const HELPERS: [(&str, libbpf::bpf_func_id, &str); 3] = [
    ("helper bpf_clone_redirect", libbpf::BPF_FUNC_clone_redirect, "cloning"),
    ("helper bpf_skb_load_bytes", libbpf::BPF_FUNC_skb_load_bytes, "reading packets"),
    ("helper bpf_ktime_get_ns", libbpf::BPF_FUNC_ktime_get_ns, "timing"),
];

/// What came of a question to the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
    /// With the error number.
    Failed(i32),
}

/// A row for every feature. Where the kernel lets us load nothing at all, they say so: libbpf's probes would call that
/// "not supported", or even "supported".
pub(super) fn rows() -> Vec<Row> {
    // SAFETY: takes no pointers; from here on libbpf prints nothing.
    unsafe { libbpf::libbpf_set_print(None) };
    // SAFETY: takes no pointers. A run does not raise the limit on locked memory, so asking must not either.
    unsafe { libbpf::libbpf_set_memlock_rlim(0) };
    let refusal = load_nothing().err();
    let row = |(name, needed_for, instead, ask): Question| {
        let item = Item::new(name, needed_for);
        match &refusal {
            Some(error) => item.unknown(format!("not asked: {error}")),
            None => judge(item, ask(), instead),
        }
    };
    questions().map(row).collect()
}

type Question = (&'static str, &'static str, Option<&'static str>, Box<dyn Fn() -> Answer>);

fn questions() -> impl Iterator<Item = Question> {
    let programs = PROGRAM_TYPES.into_iter().map(|(name, kind, needed_for, instead)| -> Question {
        // SAFETY: the options must be null.
        (
            name,
            needed_for,
            instead,
            Box::new(move || answer(unsafe { libbpf::libbpf_probe_bpf_prog_type(kind, ptr::null()) })),
        )
    });
    let maps = MAP_TYPES.into_iter().map(|(name, kind, needed_for, instead)| -> Question {
        // SAFETY: the options must be null.
        (
            name,
            needed_for,
            instead,
            Box::new(move || answer(unsafe { libbpf::libbpf_probe_bpf_map_type(kind, ptr::null()) })),
        )
    });
    let mapped: Question =
        ("mmapable arrays", "control and histograms without system calls", None, Box::new(make_mmapable));
    let helpers = HELPERS.into_iter().map(|(name, id, needed_for)| -> Question {
        let program = libbpf::BPF_PROG_TYPE_SCHED_CLS;
        // SAFETY: the options must be null.
        (
            name,
            needed_for,
            None,
            Box::new(move || answer(unsafe { libbpf::libbpf_probe_bpf_helper(program, id, ptr::null()) })),
        )
    });
    programs.chain(maps).chain([mapped]).chain(helpers)
}

fn judge(item: Item, answer: Answer, instead: Option<&str>) -> Row {
    match (answer, instead) {
        (Answer::Yes, _) => item.ok("in this kernel"),
        (Answer::No, None) => item.missing("not in this kernel"),
        (Answer::No, Some(instead)) => item.instead("not in this kernel", instead),
        (Answer::Failed(number), None) => {
            item.unknown(format!("asking failed: {}", io::Error::from_raw_os_error(number)))
        }
        (Answer::Failed(number), Some(instead)) => {
            item.instead(format!("asking failed: {}", io::Error::from_raw_os_error(number)), instead)
        }
    }
}

/// libbpf's way to answer: 1, 0, or a negative error number.
fn answer(code: i32) -> Answer {
    match code {
        1.. => Answer::Yes,
        0 => Answer::No,
        error => Answer::Failed(-error),
    }
}

/// Loads the smallest program there is (`return 0`) to learn whether the kernel lets us load any.
fn load_nothing() -> io::Result<()> {
    let zero = libbpf::bpf_insn { code: 0xb7, ..Default::default() }; // r0 = 0
    let exit = libbpf::bpf_insn { code: 0x95, ..Default::default() };
    let program = [zero, exit];
    // SAFETY: the program and its length belong together, the license ends with a zero byte, and name and options may
    // be null.
    let code = unsafe {
        libbpf::bpf_prog_load(
            libbpf::BPF_PROG_TYPE_SCHED_CLS,
            ptr::null(),
            c"GPL".as_ptr(),
            program.as_ptr(),
            program.len() as libbpf::size_t,
            ptr::null_mut(),
        )
    };
    match close(code) {
        // Any other refusal is an answer about the kernel, which the probe of the program type repeats.
        Err(error) if matches!(error.raw_os_error(), Some(libc::EPERM | libc::EACCES | libc::ENOSYS)) => {
            Err(error)
        }
        _ => Ok(()),
    }
}

fn make_mmapable() -> Answer {
    let options = libbpf::bpf_map_create_opts {
        sz: size_of::<libbpf::bpf_map_create_opts>() as libbpf::size_t,
        map_flags: libbpf::BPF_F_MMAPABLE,
        ..Default::default()
    };
    // SAFETY: the name may be null, and the options say their own length.
    let code = unsafe {
        libbpf::bpf_map_create(libbpf::BPF_MAP_TYPE_ARRAY, ptr::null(), 4, 8, 1, &raw const options)
    };
    match close(code).map_err(|error| error.raw_os_error()) {
        Ok(()) => Answer::Yes,
        Err(Some(libc::EINVAL)) => Answer::No,
        Err(number) => Answer::Failed(number.unwrap_or_default()),
    }
}

/// Closes what libbpf gave us: a descriptor, or a negative error number.
fn close(code: i32) -> io::Result<()> {
    if code < 0 {
        return Err(io::Error::from_raw_os_error(-code));
    }
    // SAFETY: a new descriptor that nobody else holds.
    drop(unsafe { OwnedFd::from_raw_fd(code) });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::State;

    #[test]
    fn an_answer_becomes_a_state() {
        let state = |answer, instead| judge(Item::new("x", "y"), answer, instead).state;
        assert_eq!([state(Answer::Yes, None), state(Answer::Yes, Some("z"))], [State::Ok; 2]);
        assert_eq!(
            [state(Answer::No, None), state(Answer::No, Some("z"))],
            [State::Missing, State::Fallback]
        );
        let failed = Answer::Failed(libc::ENOMEM);
        assert_eq!([state(failed, None), state(failed, Some("z"))], [State::Unknown, State::Fallback]);
    }

    #[test]
    fn codes_of_libbpf() {
        assert_eq!([answer(1), answer(0), answer(-22)], [Answer::Yes, Answer::No, Answer::Failed(22)]);
        assert_eq!(close(-1).unwrap_err().raw_os_error(), Some(1));
    }

    #[test]
    fn a_refusal_makes_every_row_unknown_and_never_a_guess() {
        let rows = rows();
        assert_eq!(rows.len(), PROGRAM_TYPES.len() + MAP_TYPES.len() + 1 + HELPERS.len());
        let unknown = rows.iter().filter(|row| row.state == State::Unknown).count();
        assert!(unknown == 0 || unknown == rows.len(), "{rows:#?}");
    }
}
