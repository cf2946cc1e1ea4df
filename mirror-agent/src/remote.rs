//! The commands that ask or tell a running agent over its control socket.

mod client;
pub mod commands;
pub(crate) mod show;
