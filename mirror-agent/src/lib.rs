//! An eBPF traffic mirror and latency observer.
//!
//! The modules stand in the order in which a byte meets them:
//!
//! ```text
//! kernel ─► intake ─► packet ─► stream ─► http ─► exchange ─► select ─► replay ─► compare ─► status ─► metrics, control
//! └─ edges ────────┘ └─ the pure middle: bytes and `now` in, values out ┘└ edge ┘└ pure ┘  └─ edges ──────────────────┘
//! ```

pub mod capture;
pub mod cli;
pub mod compare;
pub mod config;
pub mod differences;
pub mod exchange;
pub mod http;
pub mod intake;
pub mod kernel;
pub mod latency;
pub mod ledger;
pub mod packet;
pub mod pipeline;
pub mod replay;
pub mod rewrite;
pub mod select;
pub mod service;
pub mod stream;
pub mod time;
