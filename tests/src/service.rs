//! A small HTTP/1.1 service in two versions, of which v2 lies in known ways (see `answers`).

mod access_log;
mod answers;
mod body;
mod start;

use std::convert::Infallible;
use std::fmt;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

pub use access_log::{Entry, read_log};
pub use start::Service;

use access_log::AccessLog;
use body::Pieces;

/// The port of every service of a world.
pub const PORT: u16 = 8080;

/// Which version the service plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Version {
    /// The one that is right.
    V1,
    /// The one that is wrong on some paths and slow on another.
    V2,
}

/// What a service is told on its command line.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Where to listen; `[::]` takes IPv4 too.
    #[arg(long, default_value_t = SocketAddr::from((Ipv6Addr::UNSPECIFIED, PORT)))]
    pub listen: SocketAddr,
    /// Which version to play.
    #[arg(long)]
    pub version: Version,
    /// Append one line of JSON per request (see [`Entry`]).
    #[arg(long)]
    pub log: Option<PathBuf>,
    /// Answer 503 to everything while this file is there.
    #[arg(long)]
    pub sick: Option<PathBuf>,
}

struct State {
    version: Version,
    sick: Option<PathBuf>,
    log: Option<AccessLog>,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Version::V1 => "v1",
            Version::V2 => "v2",
        })
    }
}

/// Serves until it is killed. Says `listening on ADDRESS` on its standard output once it does.
///
/// # Errors
///
/// When the address is taken or the log cannot be made.
#[expect(clippy::print_stdout, reason = "the starting process waits for this line")]
pub fn serve(options: &Options) -> Result<()> {
    let log = options.log.as_deref().map(AccessLog::create).transpose()?;
    let state = Rc::new(State { version: options.version, sick: options.sick.clone(), log });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let accept = async {
        let listen = options.listen;
        let listener = TcpListener::bind(listen).await.with_context(|| format!("listen on {listen}"))?;
        println!("listening on {}", listener.local_addr()?);
        for connection in 0.. {
            let (stream, _) = listener.accept().await?;
            tokio::task::spawn_local(serve_connection(Rc::clone(&state), stream, connection));
        }
        Ok(())
    };
    tokio::task::LocalSet::new().block_on(&runtime, accept)
}

async fn serve_connection(state: Rc<State>, stream: TcpStream, connection: u64) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| respond(&state, connection, request));
    // A client that goes away in the middle is its own affair.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn respond(
    state: &State,
    connection: u64,
    request: Request<Incoming>,
) -> Result<Response<Pieces>, Infallible> {
    let started = Instant::now();
    let (head, incoming) = request.into_parts();
    let Ok(collected) = incoming.collect().await else {
        return Ok(answers::bad_request());
    };
    let body = collected.to_bytes();
    let is_sick = state.sick.as_ref().is_some_and(|file| file.exists());
    let response = if is_sick { answers::sick() } else { answers::answer(state.version, &head, &body).await };
    if let Some(log) = &state.log {
        log.write(&Entry::new(connection, &head, &body, response.status(), started.elapsed()));
    }
    Ok(response)
}
