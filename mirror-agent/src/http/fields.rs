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

/// What nearly no field lines have. To look for it in all lines at once costs less than in each.
#[derive(Clone, Copy, Debug)]
struct Rare {
    /// Lines that continue the one before.
    folds: bool,
    /// NUL, or a carriage return that is not before a line feed.
    controls: bool,
}

/// Finds the fields of a head: where its first line ends, and where the names and values stand. What is repaired is
/// repaired in place.
pub(super) fn find(head: &mut [u8], leniency: Leniency, max: usize) -> Result<(usize, Vec<Line>), Problem> {
    let line_end = memchr(b'\n', head).map_or(head.len(), |at| at + 1);
    let block = head.get_mut(line_end..).unwrap_or_default();
    // Whitespace before the first field continues nothing (RFC 9112, section 2.2).
    if matches!(block.first(), Some(b' ' | b'\t')) {
        return Err(Problem::Field);
    }
    let rare = Rare::within(block);
    if rare.folds {
        unfold(block, leniency)?;
    }
    let lines = parse(head, line_end, leniency, max, rare)?;
    Ok((line_end, lines))
}

/// Checks a trailer section, which ends with an empty line.
pub(super) fn check_trailers(block: &[u8], max: usize) -> Result<(), Problem> {
    parse(block, 0, Leniency::Request, max, Rare::within(block)).map(drop)
}

impl Rare {
    /// Looks at every byte and the one behind it, without a branch: the compiler makes vectors of it.
    fn within(block: &[u8]) -> Rare {
        let (mut folds, mut controls) = (false, matches!(block.last(), Some(b'\r' | 0)));
        for (byte, next) in block.iter().zip(block.get(1..).unwrap_or_default()) {
            folds |= (*byte == b'\n') & ((*next == b' ') | (*next == b'\t'));
            controls |= (*byte == 0) | ((*byte == b'\r') & (*next != b'\n'));
        }
        Rare { folds, controls }
    }
}

/// The field lines of `head` from `start` on, up to the empty line.
fn parse(
    head: &[u8],
    start: usize,
    leniency: Leniency,
    max: usize,
    rare: Rare,
) -> Result<Vec<Line>, Problem> {
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
        if rare.controls {
            check_controls(line)?;
        }
        let (name, value) = field(line, leniency)?;
        lines.push(Line { name: Span::within(head, name), value: Span::within(head, value) });
    }
    Ok(lines)
}

/// Replaces the line ends of folded lines by spaces, in place.
fn unfold(block: &mut [u8], leniency: Leniency) -> Result<(), Problem> {
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

fn check_controls(line: &[u8]) -> Result<(), Problem> {
    match memchr2(b'\r', 0, line) {
        None => Ok(()),
        Some(_) if line.contains(&b'\r') => Err(Problem::BareCr),
        Some(_) => Err(Problem::Field),
    }
}

/// The name and the value of a line without control characters.
fn field(line: &[u8], leniency: Leniency) -> Result<(&[u8], &[u8]), Problem> {
    let end = line.iter().position(|b| !is_token_byte(*b)).ok_or(Problem::Field)?;
    let (name, mut rest) = line.split_at(end);
    if leniency == Leniency::Response {
        rest = rest.trim_ascii_start();
    }
    match rest {
        [b':', value @ ..] if !name.is_empty() => Ok((name, trim(value))),
        _ => Err(Problem::Field),
    }
}
