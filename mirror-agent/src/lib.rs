//! An eBPF traffic mirror and latency observer.
//!
//! The modules in the order in which a byte meets them:
//!
//! ```text
//! kernel ─► intake ─► packet ─► stream ─► http ─► exchange ─► select ─► replay ─► compare ─► differences
//! └ edge ┘  └ edge ┘  └─────────────── pure: pipeline ───────────────┘  └ edge ┘  └─── pure ───────────┘
//!
//! agent     what runs, asked and told by control and metrics     run       builds and connects everything
//! ledger    where every request ended                            remote    the commands to a running agent
//! explain   which rule decides for a client, and why
//! read      the exchanges in a capture file, and their summary   capture   makes such a file
//! playback  the same file as input of replay and compare
//! chaos     what an experiment with faults between us and v2 does, and how it ends
//! judge     is v2 worse, no worse, or not known (pure); judging is one service's at run time
//! contracts how a verdict reads to the controllers of deployments
//! coding    bodies without their content codings, for compare and read
//! probe     what both versions are asked on a schedule, and what was answered (pure)
//! route     the path template of a request, for compare and read
//! ```
//!
//! `cargo xtask check` keeps the arrows: the pure modules import no edge, edges do not import each other.

pub mod agent;
pub mod budget;
pub mod capture;
pub mod chaos;
pub mod check;
pub mod cli;
pub mod coding;
pub mod compare;
pub mod config;
pub mod contracts;
pub mod control;
pub mod differences;
pub mod exchange;
pub mod explain;
pub mod guard;
pub mod http;
pub mod intake;
pub mod judge;
pub mod judging;
pub mod kernel;
pub mod latency;
pub mod ledger;
pub mod logging;
pub mod metrics;
pub mod packet;
pub mod pipeline;
pub mod playback;
pub mod probe;
pub mod ramp;
pub mod read;
pub mod remote;
pub mod replay;
pub mod rewrite;
pub mod rights;
pub mod roles;
pub mod route;
pub mod run;
pub mod select;
pub mod service;
pub mod status;
pub mod stream;
pub mod time;
