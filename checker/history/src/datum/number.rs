//! Numbers of any size in the one way to write them, without rounding.

use super::Datum;

/// The integer that these digits, perhaps with a sign, stand for.
pub(crate) fn integer(text: &str) -> Datum {
    match text.parse() {
        Ok(small) => Datum::Int(small),
        Err(_) => {
            let (sign, digits) = signed(text);
            Datum::Number(format!("{sign}{}", digits.trim_start_matches('0')).into())
        }
    }
}

/// The decimal that is written like this, exactly: `1.5`, `-2e300`; `None` where the exponent is beyond all bounds.
pub(crate) fn decimal(text: &str) -> Option<Box<str>> {
    let (sign, unsigned) = signed(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = [whole, fraction].concat();
    let digits = all.trim_start_matches('0');
    let leading = all.len() - digits.len();
    let digits = digits.trim_end_matches('0');
    if digits.is_empty() {
        return Some("0.0".into());
    }
    // The number is 0.DIGITS times ten to this power.
    let power =
        i64::try_from(whole.len()).ok()? - i64::try_from(leading).ok()? + i64::from(exponent);
    Some((sign.to_owned() + &positional(digits, power)).into())
}

/// The double that is nearest, as Clojure reads a number without an `M`.
pub(crate) fn double(text: &str) -> Option<Box<str>> {
    let double: f64 = text.parse().ok()?;
    match double.is_finite() {
        // Debug writes the shortest decimal that is nearest to no other double.
        true => decimal(&format!("{double:?}")),
        false => Some(if double > 0.0 { "##Inf" } else { "##-Inf" }.into()),
    }
}

/// `2/4` as `1/2`; `None` where nothing divides by it, or where it is longer than 38 digits.
pub(crate) fn fraction(text: &str) -> Option<Datum> {
    let (above, below) = text.split_once('/')?;
    let (sign, above) = signed(above);
    let (above, below): (u128, u128) = (above.parse().ok()?, below.parse().ok()?);
    let common = greatest_common_divisor(above, below);
    if below == 0 {
        return None;
    }
    let (above, below) = (above / common, below / common);
    Some(match below {
        1 => integer(&format!("{sign}{above}")),
        _ => Datum::Number(format!("{sign}{above}/{below}").into()),
    })
}

/// Any number that EDN can write; `None` where it is out of bounds, or no number.
pub(crate) fn of_edn(text: &str) -> Option<Datum> {
    if text.starts_with("##") {
        return Some(Datum::Number(text.into()));
    }
    if let Some(integer_digits) = text.strip_suffix('N') {
        return Some(integer(integer_digits));
    }
    if let Some(exact) = text.strip_suffix('M') {
        return Some(Datum::Number((decimal(exact)?.into_string() + "M").into()));
    }
    if text.contains('/') {
        return fraction(text);
    }
    match text.contains(['.', 'e', 'E']) {
        true => double(text).map(Datum::Number),
        false => Some(integer(text)),
    }
}

/// Is this an integer, without point, fraction or suffix?
pub(crate) fn is_integer(text: &str) -> bool {
    text.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit())
}

fn signed(text: &str) -> (&'static str, &str) {
    match text.strip_prefix('-') {
        Some(unsigned) => ("-", unsigned),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    }
}

/// `0.DIGITS` times ten to the power, with a point or an exponent.
fn positional(digits: &str, power: i64) -> String {
    /// Numbers with more zeros than this have an exponent.
    const ZEROS_MAX: i64 = 20;
    let length = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
    if (-ZEROS_MAX..=0).contains(&power) {
        format!("0.{}{digits}", zeros(-power))
    } else if power >= length && power - length <= ZEROS_MAX {
        format!("{digits}{}.0", zeros(power - length))
    } else if power > 0 && power < length {
        let (whole, fraction) = digits.split_at(usize::try_from(power).unwrap_or(0));
        format!("{whole}.{fraction}")
    } else {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        format!("{first}{point}{rest}e{}", power - 1)
    }
}

fn greatest_common_divisor(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_has_one_spelling() {
        for (texts, expected) in [
            (&["1", "1N", "+1", "2/2", "01N"][..], "1"),
            (&["-7", "-7N", "-14/2"], "-7"),
            (&["0", "-0", "0N", "0/5"], "0"),
            (&["18446744073709551617", "18446744073709551617N"], "18446744073709551617"),
            (&["1/2", "2/4", "+3/6"], "1/2"),
            (&["1.5", "1.50", "15e-1", "0.15E+1"], "1.5"),
            (&["1.0", "1e0", "10e-1"], "1.0"),
            (&["0.0", "-0.0", "0e7"], "0.0"),
            (&["1.5M", "1.50M", "15e-1M"], "1.5M"),
            (&["1M", "1.0M"], "1.0M"),
            (&["1e300", "10e299"], "1e300"),
            (&["1.25e-40M", "0.125e-39M"], "1.25e-40M"),
            (&["1e999"], "##Inf"),
            (&["-1e999"], "##-Inf"),
            // The same double, as in Clojure.
            (&["0.1", "0.1000000000000000055"], "0.1"),
        ] {
            for text in texts {
                let found = match of_edn(text).unwrap() {
                    Datum::Int(small) => small.to_string(),
                    Datum::Number(text) => text.to_string(),
                    other => panic!("{text}: {other:?}"),
                };
                assert_eq!(found, expected, "{text}");
            }
        }
    }

    #[test]
    fn what_cannot_be_exact_is_refused() {
        for text in ["1/0", "0/0", "1e99999999999M", "1/1000000000000000000000000000000000000000"] {
            assert_eq!(of_edn(text), None, "{text}");
        }
    }

    #[test]
    fn decimals_are_not_rounded() {
        let exact = "0.1000000000000000055";
        assert_eq!(&*decimal(exact).unwrap(), exact);
        assert_eq!(&*decimal("100000000000000000000000.5").unwrap(), "100000000000000000000000.5");
        assert_eq!(&*decimal("1e-30").unwrap(), "1e-30");
    }
}
