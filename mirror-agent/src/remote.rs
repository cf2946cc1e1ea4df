//! The commands that ask or tell a running agent over its control socket.

pub mod chaos;
mod client;
pub mod commands;
mod cost;
pub mod fence;
mod guards;
pub mod preflight;
pub mod probe;
pub(crate) mod show;
pub mod verdict;
