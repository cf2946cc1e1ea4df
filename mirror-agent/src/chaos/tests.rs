//! Experiments on made-up traffic, with time moved.

mod coin;
mod deploy;
mod file;
mod runner;
mod scenarios;
