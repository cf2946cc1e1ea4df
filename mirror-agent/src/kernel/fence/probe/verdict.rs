//! What the answers to the probes prove.

use mirror_common::fence::hook;

use super::Answer;

/// Whether every hook was proven: the call failed with `EPERM`, and it was this fence that counted it as denied. Something
/// else may refuse calls too, and then says nothing of the fence.
///
/// `counted` is how far each hook's counter of probes has moved.
///
/// # Errors
///
/// Which hooks were not, and what their calls gave.
pub fn verdict(answers: &[Answer; hook::COUNT], counted: [u64; hook::COUNT]) -> Result<(), String> {
    let hooks = hook::NAMES.iter().zip(answers).zip(counted);
    let faults: Vec<_> = hooks.filter_map(|((name, answer), counted)| fault(name, answer, counted)).collect();
    if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
}

fn fault(name: &str, answer: &Answer, counted: u64) -> Option<String> {
    match answer {
        Answer::NoSockets => None,
        Answer::Errno(libc::EPERM) if counted > 0 => None,
        Answer::Errno(libc::EPERM) => Some(format!("{name}: a probe was refused, but not by this fence")),
        Answer::Errno(0) => Some(format!("{name}: a probe was let through")),
        Answer::Errno(errno) => {
            let why = std::io::Error::from_raw_os_error(*errno);
            Some(format!("{name}: a probe was let through, to fail later ({why})"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSED: Answer = Answer::Errno(libc::EPERM);

    #[test]
    fn every_hook_must_refuse_and_count() {
        let all = [REFUSED, REFUSED, REFUSED, REFUSED];
        assert_eq!(verdict(&all, [1; 4]), Ok(()));
        assert_eq!(verdict(&all, [7, 1, 2, 1]), Ok(()));
        assert_eq!(
            verdict(&all, [1, 0, 1, 1]).unwrap_err(),
            "connect6: a probe was refused, but not by this fence"
        );
        let open = [Answer::Errno(libc::EINPROGRESS), REFUSED, Answer::Errno(0), REFUSED];
        let said = verdict(&open, [0, 1, 0, 1]).unwrap_err();
        assert_eq!(
            said,
            "connect4: a probe was let through, to fail later (Operation now in progress (os error 115)); \
             sendmsg4: a probe was let through"
        );
    }

    #[test]
    fn a_family_that_nobody_can_call_by_needs_no_proof() {
        let v4_alone = [REFUSED, Answer::NoSockets, REFUSED, Answer::NoSockets];
        assert_eq!(verdict(&v4_alone, [1, 0, 1, 0]), Ok(()));
    }
}
