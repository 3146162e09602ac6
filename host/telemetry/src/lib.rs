//! What the host tells about itself in numbers.
//!
//! | file | what it does |
//! |---|---|
//! | `latency` | histograms of time that many threads count in |
//! | `exposition` | metrics as text that Prometheus reads |
//!
//! It must not know what is counted.

mod exposition;
mod latency;

pub use exposition::MetricsText;
pub use latency::{LATENCY_BEYOND_US, LATENCY_BOUNDS_US, Latency, LatencySnapshot};
