//! Sizes of the kernel's tables, each with what happens when it is full.

/// Services that one agent may carry. A config with more is refused.
pub const SERVICES: u32 = 64;
/// Versions of one service: v1, v2, and two more that are only observed.
pub const VERSIONS: u32 = 4;
/// Known endpoints. A config with more is refused.
pub const ENDPOINTS: u32 = 1024;
/// Connections followed at once. Over it the packet passes untapped and [`crate::count::Skip::FlowTableFull`] counts it.
pub const FLOWS: u32 = 65_536;
/// Bytes of a request without a body that are searched for a second request behind it. A longer one is
/// [`crate::turn::Ambiguous::LongRequest`].
pub const REQUEST_SCAN: u32 = 4096;
/// Rules of one service, the rest among them: 15 that name clients. A config with more is refused.
pub const RULES: usize = 16;
/// Named rings of sources, of all services together. A config with more is refused.
pub const RINGS: usize = 63;
/// Client prefixes of all services together, twice: a change fills the other bank. A config with more than half of it is
/// refused.
pub const PREFIXES: u32 = 8192;
/// Exact thresholds of one service. A config with more is refused.
pub const THRESHOLDS: usize = 8;
/// Connections that have just closed and are remembered where several interfaces are tapped. The oldest goes.
pub const CLOSED: u32 = 4096;
