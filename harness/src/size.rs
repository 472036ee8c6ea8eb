//! Amounts of memory as people write them: `4GB`, `512MB`, `1GiB`.

/// The units, largest first.
const UNITS: [(&str, u64); 6] = [
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("KB", 1_000),
];

/// Reads an amount of memory: a number with one of the units `KB`, `MB`, `GB` (decimal) or `KiB`, `MiB`, `GiB`.
///
/// # Errors
/// Says what was expected.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let expected = || format!("`{text}` is no amount of memory; write it as 4GB, 512MB or 1GiB");
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(expected)?;
    let number: u64 = text[..digits].parse().map_err(|_| expected())?;
    let (_, unit) =
        UNITS.into_iter().find(|(name, _)| *name == &text[digits..]).ok_or_else(expected)?;
    match number.checked_mul(unit) {
        Some(bytes) if bytes > 0 => Ok(bytes),
        _ => Err(expected()),
    }
}

/// Writes an amount so that [`parse_bytes`] reads it back, in the largest unit of which it is a whole number.
#[must_use]
pub fn format_bytes(bytes: u64) -> String {
    let unit = UNITS.into_iter().find(|(_, unit)| bytes.is_multiple_of(*unit));
    unit.map_or(format!("{bytes}B"), |(name, unit)| format!("{}{name}", bytes / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        for (text, bytes) in [("4GB", 4_000_000_000), ("512MB", 512_000_000), ("1GiB", 1 << 30)] {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
            assert_eq!(format_bytes(bytes), text);
        }
        for text in ["", "4", "GB", "0MB", "4 GB", "4gb", "-1GB", "1.5GB", "99999999999999999GB"] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
    }
}
