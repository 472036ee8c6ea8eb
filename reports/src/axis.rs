//! Ticks at round numbers, and times and durations in words.

/// The smallest of 1, 2, 5 × 10ⁿ that is not below `least`.
pub fn nice(least: f64) -> f64 {
    if !(least.is_finite() && least > 0.0) {
        return 1.0;
    }
    let decade = 10_f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0].into_iter().map(|m| m * decade).find(|step| *step >= least * 0.999);
    step.unwrap_or(10.0 * decade)
}

/// How many decimals tell multiples of `step` apart.
pub fn decimals(step: f64) -> usize {
    let mut unit = 0.999;
    let mut places = 0;
    while step < unit && places < 9 {
        unit /= 10.0;
        places += 1;
    }
    places
}

/// Nanoseconds as seconds.
#[allow(clippy::cast_precision_loss)]
pub fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}

/// A moment, to the microsecond: `12.345678 s`.
pub fn moment(ns: u64) -> String {
    format!("{:.6} s", seconds(ns))
}

/// A duration with three significant digits or so: `850 µs`, `12.3 ms`, `4.2 s`, `2 min 5 s`.
pub fn duration(ns: u64) -> String {
    let s = seconds(ns);
    let (number, places, unit) = match s {
        _ if s < 1e-3 => (s * 1e6, 0, "µs"),
        _ if s < 0.1 => (s * 1e3, 1, "ms"),
        _ if s < 1.0 => (s * 1e3, 0, "ms"),
        _ if s < 10.0 => (s, 2, "s"),
        _ if s < 120.0 => (s, 1, "s"),
        _ => return format!("{} min {} s", ns / 60_000_000_000, ns / 1_000_000_000 % 60),
    };
    let number = format!("{number:.places$}");
    let number =
        if places > 0 { number.trim_end_matches('0').trim_end_matches('.') } else { &number };
    format!("{number} {unit}")
}

/// Milliseconds: `0.85`, `12.3`, `4,200`.
pub fn milliseconds(ms: f64) -> String {
    match ms {
        _ if !ms.is_finite() || ms < 0.0 => "–".into(),
        _ if ms < 10.0 => format!("{ms:.2}"),
        _ if ms < 100.0 => format!("{ms:.1}"),
        _ if ms < 1000.0 => format!("{ms:.0}"),
        _ => {
            // Latencies beyond 2⁵³ ms do not occur; the conversion saturates.
            #[allow(clippy::cast_sign_loss)]
            let whole = ms.round() as u64;
            crate::markup::grouped(whole)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        assert_eq!(nice(0.0), 1.0);
        assert_eq!(nice(1.0), 1.0);
        assert_eq!(nice(1.1), 2.0);
        assert_eq!(nice(7.0), 10.0);
        assert!((nice(0.003) - 0.005).abs() < 1e-12);
        assert_eq!((decimals(1.0), decimals(0.2), decimals(0.005)), (0, 1, 3));
    }

    #[test]
    fn durations_in_words() {
        let said: Vec<String> =
            [0, 900, 850_000, 12_340_000, 4_200_000_000, 125_000_000_000].map(duration).into();
        assert_eq!(said, ["0 µs", "1 µs", "850 µs", "12.3 ms", "4.2 s", "2 min 5 s"]);
    }
}
