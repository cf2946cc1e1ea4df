//! Field lines: of a head, behind the first line, and of a trailer section (RFC 9112, section 5).

use bytes::Bytes;

use super::message::{Headers, is_token_byte, trim};
use super::problem::Problem;
use super::start_line::without_cr;

/// What is forgiven to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leniency {
    /// Folded lines and whitespace before the colon are refused: a server must reject the latter, and readers
    /// disagree about the former.
    Request,
    /// Both are repaired, as a proxy must (RFC 9112, sections 5.1 and 5.2).
    Response,
}

/// Splits a head into its first line and its fields, which share the one copy of the head.
pub(super) fn split(mut head: Vec<u8>, leniency: Leniency, max: usize) -> Result<(Bytes, Headers), Problem> {
    let line_end = head.iter().position(|b| *b == b'\n').map_or(head.len(), |at| at + 1);
    let (_, block) = head.split_at_mut(line_end);
    unfold(block, leniency)?;
    let head = Bytes::from(head.into_boxed_slice());
    let headers = parse(&head.slice(line_end..), leniency, max)?;
    Ok((head.slice(..line_end), headers))
}

/// The field lines of `block`, which ends with an empty line.
pub(super) fn parse(block: &Bytes, leniency: Leniency, max: usize) -> Result<Headers, Problem> {
    let mut headers = Headers::default();
    for line in block.split(|b| *b == b'\n').map(without_cr).take_while(|line| !line.is_empty()) {
        if headers.len() == max {
            return Err(Problem::TooManyFields);
        }
        let (name, value) = field(line, leniency)?;
        headers.push(block.slice_ref(name), block.slice_ref(value));
    }
    Ok(headers)
}

/// Replaces the line ends of folded lines by spaces, in place.
fn unfold(block: &mut [u8], leniency: Leniency) -> Result<(), Problem> {
    // Whitespace before the first field continues nothing (RFC 9112, section 2.2).
    if matches!(block.first(), Some(b' ' | b'\t')) {
        return Err(Problem::Field);
    }
    for at in 1..block.len() {
        let (before, after) = block.split_at_mut(at);
        let ([.., end], Some(b' ' | b'\t')) = (&mut *before, after.first()) else { continue };
        if *end != b'\n' {
            continue;
        }
        if leniency == Leniency::Request {
            return Err(Problem::ObsFold);
        }
        *end = b' ';
        if let [.., cr @ b'\r', _] = before {
            *cr = b' ';
        }
    }
    Ok(())
}

fn field(line: &[u8], leniency: Leniency) -> Result<(&[u8], &[u8]), Problem> {
    if line.contains(&b'\r') {
        return Err(Problem::BareCr);
    }
    let colon = line.iter().position(|b| *b == b':').ok_or(Problem::Field)?;
    let (mut name, value) = line.split_at(colon);
    if leniency == Leniency::Response {
        name = name.trim_ascii_end();
    }
    let value = trim(value.get(1..).unwrap_or_default());
    if name.is_empty() || !name.iter().copied().all(is_token_byte) || value.contains(&0) {
        return Err(Problem::Field);
    }
    Ok((name, value))
}
