//! The commands that ask or tell a running agent over its control socket.

mod client;
pub mod commands;
mod cost;
mod guards;
pub mod preflight;
pub mod probe;
pub(crate) mod show;
pub mod verdict;
