//! Runs an experiment and follows it: the experiment lives as long as this does.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use hyper::{Method, StatusCode};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Journals, show};
use crate::agent::Begun;
use crate::chaos::{Journal, Phase};
use crate::remote::client::{answer, refusal, send};

/// How often the agent is asked: each time, the experiment's lease begins anew.
const EVERY: Duration = Duration::from_millis(500);
/// Letters of a file's name in a query that stand for themselves (RFC 3986, section 2.3); the slash is allowed too.
const PLAIN: &[u8] = b"-._~/";

/// The journal at its end, or what is wrong with the text, a line each. `say` gets a line for each phase.
///
/// # Errors
///
/// When the agent does not answer, refuses, or forgets the experiment.
pub fn run(
    socket: &Path,
    name: &str,
    text: &str,
    say: impl FnMut(&str) -> Result<()>,
) -> Result<Result<Journal, String>> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("start a runtime")?;
    runtime.block_on(follow(socket, name, text, say))
}

async fn follow(
    socket: &Path,
    name: &str,
    text: &str,
    mut say: impl FnMut(&str) -> Result<()>,
) -> Result<Result<Journal, String>> {
    let mut stops = Stops::new()?;
    let target = format!("/v1/chaos?file={}", escaped(name));
    let (status, body) = send(socket, Method::POST, &target, text.to_owned()).await?;
    if status == StatusCode::UNPROCESSABLE_ENTITY {
        return Ok(Err(refusal(&body)));
    }
    let Begun { id, .. } = answer(status, &body)?;
    let mut shown = (None, 0);
    loop {
        let journal = journal(socket, id).await?;
        // A phase is told of when it is over, and the end with why.
        let now = (Some(journal.phase), journal.method.iter().filter(|step| step.ended_s.is_some()).count());
        if now != shown || journal.phase == Phase::Ended {
            show::phase(&journal, shown).iter().try_for_each(|line| say(line))?;
            shown = now;
        }
        if journal.phase == Phase::Ended {
            return Ok(Ok(journal));
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stops.next() => {
                let (status, body) = send(socket, Method::DELETE, "/v1/chaos", String::new()).await?;
                answer::<serde_json::Value>(status, &body)?;
            }
        }
    }
}

async fn journal(socket: &Path, id: u64) -> Result<Journal> {
    let (status, body) = send(socket, Method::GET, &format!("/v1/chaos?renew={id}"), String::new()).await?;
    let all: Journals = answer(status, &body)?;
    match all.experiments.into_iter().find(|journal| journal.id == id) {
        Some(journal) => Ok(journal),
        None => bail!("the agent no longer knows the experiment: was it started anew?"),
    }
}

/// Whatever asks this command to end.
struct Stops([Signal; 3]);

impl Stops {
    fn new() -> Result<Stops> {
        let watch = |kind| signal(kind).context("watch for signals");
        Ok(Stops([
            watch(SignalKind::interrupt())?,
            watch(SignalKind::terminate())?,
            watch(SignalKind::hangup())?,
        ]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

fn escaped(name: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ if PLAIN.contains(&byte) => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    name.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_any_bytes_is_one_value_of_a_query() {
        assert_eq!(escaped("a/v2 slow&renew=1.yaml"), "a/v2%20slow%26renew%3D1.yaml");
        assert_eq!(escaped("ü%"), "%C3%BC%25");
    }
}
