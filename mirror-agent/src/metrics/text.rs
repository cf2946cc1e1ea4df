//! The two text formats of a scrape.

use std::fmt;

use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;

/// Content type of the OpenMetrics text format.
pub const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Content type of the Prometheus text format.
pub const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Encodes a scrape in the format that an `Accept` header asks for, and names it.
///
/// # Errors
///
/// When a family cannot be read.
pub fn encode(registry: &Registry, accept: &str) -> Result<(&'static str, String), fmt::Error> {
    let mut body = String::new();
    text::encode(&mut body, registry)?;
    if accept.contains("application/openmetrics-text") {
        return Ok((OPENMETRICS, body));
    }
    Ok((PROMETHEUS, to_prometheus(&body)))
}

/// In OpenMetrics a counter's family has no `_total` and its sample has; in the older format both have. Units and the
/// end mark are OpenMetrics' own.
fn to_prometheus(openmetrics: &str) -> String {
    let counters: Vec<&str> = openmetrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
        .collect();
    let mut text = String::with_capacity(openmetrics.len() + 16 * counters.len());
    for line in openmetrics.lines().filter(|line| !line.starts_with("# UNIT ") && *line != "# EOF") {
        let described =
            ["# HELP ", "# TYPE "].into_iter().find_map(|kind| Some((kind, line.strip_prefix(kind)?)));
        match described.and_then(|(kind, rest)| Some((kind, rest.split_once(' ')?))) {
            Some((kind, (name, rest))) if counters.contains(&name) => {
                text.push_str(&format!("{kind}{name}_total {rest}\n"));
            }
            _ => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_has_one_name_in_each_format() {
        let openmetrics = "# HELP a_b Help.\n# TYPE a_b counter\na_b_total{x=\"# TYPE a_b counter\"} 1\n\
                           # HELP c_seconds Help.\n# TYPE c_seconds gauge\n# UNIT c_seconds seconds\nc_seconds 2\n# EOF\n";
        let prometheus = "# HELP a_b_total Help.\n# TYPE a_b_total counter\na_b_total{x=\"# TYPE a_b counter\"} 1\n\
                          # HELP c_seconds Help.\n# TYPE c_seconds gauge\nc_seconds 2\n";
        assert_eq!(to_prometheus(openmetrics), prometheus);
    }
}
