//! What the controllers of deployments send: any bytes get an answer, or one short line of why not.

use mirror_agent::contracts::flagger::Payload;
use mirror_agent::contracts::kayenta;
use mirror_agent::judge::statistics::log_evidence;

/// The longest error: it goes into a log, and to whoever sent the bytes.
const LINE: usize = 1024;

/// A body.
pub(crate) fn run(data: &[u8]) {
    match kayenta::judge(data, |worse, better| log_evidence(worse, better, 0.5)) {
        Ok(result) => assert!(serde_json::to_string(&result).is_ok()),
        Err(why) => is_a_line(&why),
    }
    match Payload::read(data) {
        Ok(payload) => {
            let _ = (payload.service(), payload.window());
        }
        Err(why) => is_a_line(&why),
    }
}

fn is_a_line(why: &str) {
    assert!(!why.is_empty() && why.len() <= LINE && !why.contains('\n'), "{why}");
}
