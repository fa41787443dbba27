//! The memory of processes.

use std::fs;
use std::process::{Child, ExitStatus};
use std::time::Duration;

/// Waits for the end of a process. Returns its status, and the most resident memory that it had, in bytes.
pub fn peak(child: &mut Child) -> (ExitStatus, u64) {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        // Gone from the file when the process has ended, and not yet been waited for.
        let text = fs::read_to_string(&status).unwrap_or_default();
        if let Some(line) = text.lines().find(|line| line.starts_with("VmHWM:")) {
            peak = line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024;
        }
        if let Some(ended) = child.try_wait().unwrap() {
            return (ended, peak);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
