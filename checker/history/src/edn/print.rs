//! EDN values as text, on one line.

use std::fmt::{self, Display, Formatter, Write};

use super::Edn;

impl Display for Edn {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Edn::Nil => f.write_str("nil"),
            Edn::Bool(value) => value.fmt(f),
            Edn::Int(value) => value.fmt(f),
            // Debug keeps the point or exponent that makes it a float.
            Edn::Float(value) => write!(f, "{value:?}"),
            Edn::Number(text) | Edn::Symbol(text) => f.write_str(text),
            Edn::String(text) => string(f, text),
            Edn::Char(character) => self::character(f, *character),
            Edn::Keyword(name) => write!(f, ":{name}"),
            Edn::List(items) => sequence(f, "(", items, ")"),
            Edn::Vector(items) => sequence(f, "[", items, "]"),
            Edn::Set(items) => sequence(f, "#{", items, "}"),
            Edn::Map(entries) => {
                f.write_char('{')?;
                for (i, (key, value)) in entries.iter().enumerate() {
                    let separator = if i == 0 { "" } else { ", " };
                    write!(f, "{separator}{key} {value}")?;
                }
                f.write_char('}')
            }
            Edn::Tagged(tag, value) => write!(f, "#{tag} {value}"),
        }
    }
}

fn sequence(f: &mut Formatter<'_>, open: &str, items: &[Edn], close: &str) -> fmt::Result {
    f.write_str(open)?;
    for (i, item) in items.iter().enumerate() {
        let separator = if i == 0 { "" } else { " " };
        write!(f, "{separator}{item}")?;
    }
    f.write_str(close)
}

fn string(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            control if control.is_control() => write!(f, "\\u{:04x}", u32::from(control))?,
            other => f.write_char(other)?,
        }
    }
    f.write_char('"')
}

fn character(f: &mut Formatter<'_>, character: char) -> fmt::Result {
    match character {
        '\n' => f.write_str("\\newline"),
        '\r' => f.write_str("\\return"),
        ' ' => f.write_str("\\space"),
        '\t' => f.write_str("\\tab"),
        '\x0c' => f.write_str("\\formfeed"),
        '\x08' => f.write_str("\\backspace"),
        control if control.is_control() => write!(f, "\\u{:04x}", u32::from(control)),
        other => write!(f, "\\{other}"),
    }
}
