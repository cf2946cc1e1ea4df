//! libFuzzer's side: one binary for all targets, the target named by `MIRROR_FUZZ_TARGET`.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use mirror_fuzz::{Target, target};

static CHOSEN: OnceLock<Target> = OnceLock::new();

fuzz_target!(|data: &[u8]| {
    let run = CHOSEN.get_or_init(|| {
        let name = std::env::var("MIRROR_FUZZ_TARGET").unwrap_or_default();
        target(&name).unwrap_or_else(|| panic!("MIRROR_FUZZ_TARGET names no target: {name:?}"))
    });
    run(data);
});
