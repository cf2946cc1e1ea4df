//! What each path answers, and where v2 differs.
//!
//! | path | answer | v2 |
//! |---|---|---|
//! | `/users/N` | a JSON object | the same |
//! | `/price/N` | a JSON object with a total | the total is one cent too high |
//! | `/order/N` | a JSON object with a time, a random id and a shuffled array | `customer` is called `client`, the total is one cent too high, and 500 when 100 divides N |
//! | `/static/N` | text that may be cached | forgets `cache-control` |
//! | `/flaky/N` | text | 500 when 5 divides N |
//! | `/slow/N` | text | 20 ms later |
//! | `/delay/U` | text after U microseconds | the same |
//! | `/bytes/N`, `/chunked/N` | N bytes, with a length or chunked | the same |
//! | `POST /echo` | JSON: length and SHA-256 of the request body | the same |

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use bytes::Bytes;
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};
use serde_json::json;

use super::Version;
use super::access_log::digest;
use super::body::Pieces;

/// The most bytes that one answer has.
const LARGEST: u64 = 64 << 20;
const CHUNK: usize = 4096;
const PERIOD: usize = 251 * 7;
const SLOWER_BY: Duration = Duration::from_millis(20);

const JSON: &str = "application/json";
const TEXT: &str = "text/plain";
const BINARY: &str = "application/octet-stream";

/// The answer of `version`.
pub(super) async fn answer(version: Version, head: &Parts, body: &Bytes) -> Response<Pieces> {
    let path = head.uri.path();
    if head.method == Method::POST && path == "/echo" {
        let echo = json!({ "length": body.len(), "sha256": digest(body) });
        return reply(StatusCode::OK, JSON, Pieces::whole(echo.to_string()));
    }
    let parsed = path.strip_prefix('/').and_then(|path| path.split_once('/'));
    let Some((kind, Ok(number))) = parsed.map(|(kind, number)| (kind, number.parse())) else {
        return reply(StatusCode::NOT_FOUND, TEXT, Pieces::whole("no such path\n"));
    };
    numbered(version, kind, number).await
}

/// The answer to a request whose body broke off.
pub(super) fn bad_request() -> Response<Pieces> {
    reply(StatusCode::BAD_REQUEST, TEXT, Pieces::whole("incomplete body\n"))
}

/// The answer of a service that has turned bad.
pub(super) fn sick() -> Response<Pieces> {
    reply(StatusCode::SERVICE_UNAVAILABLE, TEXT, Pieces::whole("not now\n"))
}

async fn numbered(version: Version, kind: &str, number: u64) -> Response<Pieces> {
    let v2 = version == Version::V2;
    let ok = |kind: &'static str, body| reply(StatusCode::OK, kind, body);
    match kind {
        "users" => ok(JSON, Pieces::whole(user(number))),
        "price" => ok(JSON, Pieces::whole(price(number, v2))),
        "order" if v2 && number.is_multiple_of(100) => {
            reply(StatusCode::INTERNAL_SERVER_ERROR, TEXT, Pieces::whole("oh no\n"))
        }
        "order" => ok(JSON, Pieces::whole(order(number, v2, random()))),
        "static" => cached(ok(TEXT, Pieces::whole("the same for everybody\n")), !v2),
        "flaky" if v2 && number.is_multiple_of(5) => {
            reply(StatusCode::INTERNAL_SERVER_ERROR, TEXT, Pieces::whole("oh no\n"))
        }
        "flaky" => ok(TEXT, Pieces::whole("fine\n")),
        "slow" => {
            sleep(if v2 { SLOWER_BY } else { Duration::ZERO }).await;
            ok(TEXT, Pieces::whole("done\n"))
        }
        "delay" => {
            sleep(Duration::from_micros(number)).await;
            ok(TEXT, Pieces::whole("done\n"))
        }
        "bytes" => ok(BINARY, Pieces::whole(bytes(number))),
        "chunked" => ok(BINARY, Pieces::chunked(&bytes(number), CHUNK)),
        _ => reply(StatusCode::NOT_FOUND, TEXT, Pieces::whole("no such path\n")),
    }
}

fn reply(status: StatusCode, kind: &'static str, body: Pieces) -> Response<Pieces> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static(kind));
    response
}

fn cached(mut response: Response<Pieces>, remembers: bool) -> Response<Pieces> {
    if remembers {
        let value = hyper::header::HeaderValue::from_static("max-age=3600");
        response.headers_mut().insert("cache-control", value);
    }
    response
}

fn user(number: u64) -> String {
    let roles = if number.is_multiple_of(7) { vec!["admin", "user"] } else { vec!["user"] };
    json!({ "id": number, "name": format!("user {number}"), "roles": roles }).to_string()
}

fn price(number: u64, wrong: bool) -> String {
    let cents = 100 + number % 900;
    let total = cents * 3 + u64::from(wrong);
    json!({ "item": number, "each_cents": cents, "count": 3, "total_cents": total }).to_string()
}

/// With what is made up anew for each answer from `random`.
fn order(number: u64, wrong: bool, random: u64) -> String {
    let mut lines = ["apples", "bread", "cheese", "dates"];
    lines.rotate_left((random % 4) as usize);
    let mut order = json!({
        "number": number,
        "at_ns": random >> 1,
        "trace": format!("{random:016x}"),
        "lines": lines,
        "total_cents": 400 + number % 100 + u64::from(wrong),
    });
    order[if wrong { "client" } else { "customer" }] = json!(format!("customer {}", number % 10));
    order.to_string()
}

/// A number that differs each time.
fn random() -> u64 {
    RandomState::new().hash_one(())
}

/// Bytes with a period of 1757, so that a piece that is lost, or moved by a power of two, changes the whole.
/// Copied period by period: computing a megabyte byte by byte would hold up everybody else for milliseconds.
fn bytes(length: u64) -> Bytes {
    let period: Vec<u8> = (0..PERIOD).map(|at| (at % 251 + at / 251) as u8).collect();
    let length = length.min(LARGEST) as usize;
    let mut body = period.repeat(length.div_ceil(PERIOD));
    body.truncate(length);
    body.into()
}

/// A timer of the runtime would round up to whole milliseconds.
async fn sleep(time: Duration) {
    if !time.is_zero() {
        let _ = tokio::task::spawn_blocking(move || std::thread::sleep(time)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_differ_by_one_cent() {
        assert_eq!(price(5, false), r#"{"count":3,"each_cents":105,"item":5,"total_cents":315}"#);
        assert_eq!(price(5, true), r#"{"count":3,"each_cents":105,"item":5,"total_cents":316}"#);
    }

    #[test]
    fn an_order_is_made_up_anew_each_time_and_v2_changes_two_members() {
        let parse = |text: String| serde_json::from_str::<serde_json::Value>(&text).unwrap();
        let (v1, v2) = (parse(order(7, false, 1)), parse(order(7, true, 6)));
        for made_up in ["at_ns", "trace", "lines"] {
            assert_ne!(v1[made_up], v2[made_up], "{made_up}");
        }
        assert_eq!((v1["total_cents"].as_u64(), v2["total_cents"].as_u64()), (Some(407), Some(408)));
        assert_eq!((&v1["customer"], &v1["number"]), (&v2["client"], &v2["number"]));
        assert_ne!(random(), random());
    }

    #[test]
    fn bytes_have_their_length() {
        for length in [0, 1, 251, 65536] {
            assert_eq!(bytes(length).len() as u64, length);
        }
    }
}
