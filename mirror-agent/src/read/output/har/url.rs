//! The absolute URL that a browser would show for a request.

use std::fmt::{self, Display, Formatter, Write};

use crate::http::Request;
use crate::read::record::Record;

/// Scheme, authority and target. What may not stand in a URL is percent-encoded (RFC 3986, section 2.1), so that
/// every reader can parse it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Url<'a> {
    pub(super) record: &'a Record<'a>,
    pub(super) request: &'a Request,
}

impl Display for Url<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let target = self.request.target.as_ref();
        let is_absolute = ["http://", "https://"].iter().any(|scheme| {
            target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme.as_bytes()))
        });
        if is_absolute {
            return Encoded(target).fmt(f);
        }
        f.write_str("http://")?;
        if self.request.method.as_bytes() == b"CONNECT" {
            return Encoded(target).fmt(f);
        }
        match self.request.headers.get("host").filter(|host| is_host(host)) {
            Some(host) => Encoded(host).fmt(f)?,
            None => self.record.server.fmt(f)?,
        }
        f.write_str(if target.starts_with(b"/") { "" } else { "/" })?;
        Encoded(target).fmt(f)
    }
}

/// The query of a target as name and value, as sent: what is percent-encoded stays so.
pub(super) fn query(target: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let query = target.iter().position(|byte| *byte == b'?').and_then(|at| target.get(at + 1..));
    let pairs = query.unwrap_or_default().split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| match pair.iter().position(|byte| *byte == b'=') {
        Some(at) => (pair.get(..at).unwrap_or_default(), pair.get(at + 1..).unwrap_or_default()),
        None => (pair, Default::default()),
    })
}

struct Encoded<'a>(&'a [u8]);

impl Display for Encoded<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            let stays = byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(byte);
            if stays { f.write_char(char::from(*byte)) } else { write!(f, "%{byte:02X}") }?;
        }
        Ok(())
    }
}

/// Names, addresses, and a port: nothing that a URL parser would refuse or take for something else.
fn is_host(host: &[u8]) -> bool {
    !host.is_empty() && host.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:[]".contains(byte))
}
