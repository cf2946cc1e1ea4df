//! Writes differences to a file, a JSON object a line.

use std::fs::File;
use std::io::{BufWriter, Write};

use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::differences::Record;

/// Records that wait for the disk. One more is left out of the file; the totals have it.
const QUEUE: usize = 1024;

/// Starts the writer. It ends when the last sender is gone.
pub fn start(file: File, runtime: &Handle) -> mpsc::Sender<Record> {
    let (record_tx, mut record_rx) = mpsc::channel::<Record>(QUEUE);
    runtime.spawn_blocking(move || {
        let mut file = BufWriter::new(file);
        while let Some(record) = record_rx.blocking_recv() {
            if let Err(error) = write(&mut file, &record, record_rx.is_empty()) {
                tracing::error!("differences are no longer written: {error}");
                return;
            }
        }
    });
    record_tx
}

/// Flushed whenever nothing waits, so that a reader is never far behind.
fn write(file: &mut BufWriter<File>, record: &Record, flush: bool) -> std::io::Result<()> {
    serde_json::to_writer(&mut *file, record)?;
    file.write_all(b"\n")?;
    if flush { file.flush() } else { Ok(()) }
}
