//! Field lines: of a head, behind the first line, and of a trailer section (RFC 9112, section 5).

use memchr::{memchr, memchr2};

use super::headers::{Line, Span};
use super::message::{is_token_byte, trim};
use super::problem::Problem;
use super::start_line::without_cr;

/// Lines that have room at once; most heads have no more.
const USUAL: usize = 16;

/// What is forgiven to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leniency {
    /// Folded lines and whitespace before the colon are refused: a server must reject the latter, and readers
    /// disagree about the former.
    Request,
    /// Both are repaired, as a proxy must (RFC 9112, sections 5.1 and 5.2).
    Response,
}

/// Finds the fields of a head: where its first line ends, and where the names and values stand. What is repaired is
/// repaired in place.
pub(super) fn find(head: &mut [u8], leniency: Leniency, max: usize) -> Result<(usize, Vec<Line>), Problem> {
    let line_end = memchr(b'\n', head).map_or(head.len(), |at| at + 1);
    unfold(head.get_mut(line_end..).unwrap_or_default(), leniency)?;
    let lines = parse(head, line_end, leniency, max)?;
    Ok((line_end, lines))
}

/// Checks a trailer section, which ends with an empty line.
pub(super) fn check_trailers(block: &[u8], max: usize) -> Result<(), Problem> {
    parse(block, 0, Leniency::Request, max).map(drop)
}

/// The field lines of `head` from `start` on, up to the empty line.
fn parse(head: &[u8], start: usize, leniency: Leniency, max: usize) -> Result<Vec<Line>, Problem> {
    let mut lines = Vec::with_capacity(USUAL);
    let mut rest = head.get(start..).unwrap_or_default();
    while let Some(end) = memchr(b'\n', rest) {
        let (line, behind) = rest.split_at(end);
        rest = behind.get(1..).unwrap_or_default();
        let line = without_cr(line);
        if line.is_empty() {
            break;
        }
        if lines.len() == max {
            return Err(Problem::TooManyFields);
        }
        let (name, value) = field(line, leniency)?;
        lines.push(Line { name: Span::within(head, name), value: Span::within(head, value) });
    }
    Ok(lines)
}

/// Replaces the line ends of folded lines by spaces, in place.
fn unfold(block: &mut [u8], leniency: Leniency) -> Result<(), Problem> {
    // Whitespace before the first field continues nothing (RFC 9112, section 2.2).
    if matches!(block.first(), Some(b' ' | b'\t')) {
        return Err(Problem::Field);
    }
    let mut from = 0;
    while let Some(found) = memchr(b'\n', block.get(from..).unwrap_or_default()) {
        let end = from + found;
        from = end + 1;
        if !matches!(block.get(from), Some(b' ' | b'\t')) {
            continue;
        }
        if leniency == Leniency::Request {
            return Err(Problem::ObsFold);
        }
        let (before, _) = block.split_at_mut(from);
        match before {
            [.., cr @ b'\r', lf] => (*cr, *lf) = (b' ', b' '),
            [.., lf] => *lf = b' ',
            [] => {}
        }
    }
    Ok(())
}

fn field(line: &[u8], leniency: Leniency) -> Result<(&[u8], &[u8]), Problem> {
    if memchr2(b'\r', 0, line).is_some() {
        return Err(if line.contains(&b'\r') { Problem::BareCr } else { Problem::Field });
    }
    let colon = memchr(b':', line).ok_or(Problem::Field)?;
    let (mut name, value) = line.split_at(colon);
    if leniency == Leniency::Response {
        name = name.trim_ascii_end();
    }
    if name.is_empty() || !name.iter().copied().all(is_token_byte) {
        return Err(Problem::Field);
    }
    Ok((name, trim(value.get(1..).unwrap_or_default())))
}
