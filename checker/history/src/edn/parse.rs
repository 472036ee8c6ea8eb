//! A byte cursor over EDN text. Any input gives values or an error, never a panic.

use super::{Edn, is_keyword_name, is_symbol_name};

/// Deepest nesting that is read: far beyond any history, far below the stack.
pub const MAX_DEPTH: usize = 60;

/// Where the text stops being EDN.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ParseError {
    /// Line, from 1.
    pub line: u64,
    /// Column in bytes, from 1.
    pub column: u64,
    /// What is wrong there.
    pub message: String,
}

impl ParseError {
    pub(crate) fn at(text: &[u8], offset: usize, message: impl Into<String>) -> Self {
        let before = &text[..offset.min(text.len())];
        let newline = before.iter().rposition(|&b| b == b'\n');
        Self {
            line: 1 + before.iter().filter(|&&b| b == b'\n').count() as u64,
            column: (before.len() - newline.map_or(0, |n| n + 1)) as u64 + 1,
            message: message.into(),
        }
    }
}

/// Every value in the text.
pub fn parse(text: &[u8]) -> Result<Vec<Edn>, ParseError> {
    let mut values = Vec::new();
    let mut cursor = Cursor::new(text);
    while let Some((_, value)) = cursor.next_form()? {
        values.push(value);
    }
    Ok(values)
}

/// What went wrong, and at which byte.
struct Failure {
    offset: usize,
    message: String,
}

type Parsed<T> = Result<T, Failure>;

/// A position in the text.
pub(crate) struct Cursor<'a> {
    text: &'a [u8],
    offset: usize,
    depth: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { text, offset: 0, depth: 0 }
    }

    /// The next value and where it starts; nothing at the end of the text.
    pub(crate) fn next_form(&mut self) -> Result<Option<(usize, Edn)>, ParseError> {
        self.form().map_err(|f| ParseError::at(self.text, f.offset, f.message))
    }

    fn form(&mut self) -> Parsed<Option<(usize, Edn)>> {
        self.skip_blank()?;
        if self.peek().is_none() {
            return Ok(None);
        }
        let start = self.offset;
        Ok(Some((start, self.value()?)))
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.offset).copied()
    }

    fn fail<T>(&self, message: impl Into<String>) -> Parsed<T> {
        Err(Failure { offset: self.offset, message: message.into() })
    }

    /// Skips blanks, commas, comments and discarded forms.
    fn skip_blank(&mut self) -> Parsed<()> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' | b',') => self.offset += 1,
                Some(b';') => {
                    let rest = &self.text[self.offset..];
                    self.offset += rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
                }
                Some(b'#') if self.text.get(self.offset + 1) == Some(&b'_') => {
                    self.offset += 2;
                    self.nested(Self::required)?;
                }
                _ => return Ok(()),
            }
        }
    }

    /// Runs `read` one level deeper.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == MAX_DEPTH {
            return self.fail(format!("nested deeper than {MAX_DEPTH}"));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// A value that must be there.
    fn required(&mut self) -> Parsed<Edn> {
        self.skip_blank()?;
        self.value()
    }

    fn value(&mut self) -> Parsed<Edn> {
        match self.peek() {
            None => self.fail("the text ends where a value is expected"),
            Some(b'(') => self.sequence(b')').map(Edn::List),
            Some(b'[') => self.sequence(b']').map(Edn::Vector),
            Some(b'{') => self.map(),
            Some(b'"') => self.string().map(Edn::String),
            Some(b'\\') => self.character(),
            Some(b'#') => self.dispatch(),
            Some(b')' | b']' | b'}') => self.fail("a closing bracket without an opening one"),
            Some(_) => self.atom(),
        }
    }

    /// Values up to the closing bracket; the cursor is on the opening one.
    fn sequence(&mut self, close: u8) -> Parsed<Vec<Edn>> {
        let open = self.offset;
        self.offset += 1;
        self.nested(|cursor| {
            let mut items = Vec::new();
            loop {
                cursor.skip_blank()?;
                match cursor.peek() {
                    Some(byte) if byte == close => {
                        cursor.offset += 1;
                        return Ok(items);
                    }
                    None => {
                        let message = "this bracket is never closed".to_owned();
                        return Err(Failure { offset: open, message });
                    }
                    Some(_) => items.push(cursor.value()?),
                }
            }
        })
    }

    fn map(&mut self) -> Parsed<Edn> {
        let open = self.offset;
        let items = self.sequence(b'}')?;
        let failure = |message: &str| Err(Failure { offset: open, message: message.to_owned() });
        if items.len() % 2 == 1 {
            return failure("a map with a key but no value");
        }
        let mut entries = Vec::with_capacity(items.len() / 2);
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            entries.push((key, value));
        }
        if has_duplicates(&entries) {
            failure("a map with a duplicate key")
        } else {
            Ok(Edn::Map(entries))
        }
    }

    /// What begins with `#`: a set, a symbolic number, a namespaced map or a tag.
    fn dispatch(&mut self) -> Parsed<Edn> {
        match self.text.get(self.offset + 1) {
            Some(b'{') => {
                self.offset += 1;
                self.sequence(b'}').map(Edn::Set)
            }
            Some(b'#') => {
                let start = self.offset;
                self.offset += 2;
                match self.token()? {
                    "Inf" | "-Inf" | "NaN" => Ok(Edn::Number(self.since(start))),
                    _ => self.fail("expected ##Inf, ##-Inf or ##NaN"),
                }
            }
            Some(b':') => {
                self.offset += 2;
                let namespace = self.token()?.to_owned();
                if !is_keyword_name(&namespace) {
                    return self.fail("a namespaced map without a namespace");
                }
                self.skip_blank()?;
                if self.peek() != Some(b'{') {
                    return self.fail("expected the map after its namespace");
                }
                match self.map()? {
                    Edn::Map(entries) => Ok(qualify(&namespace, entries)),
                    other => Ok(other),
                }
            }
            _ => {
                self.offset += 1;
                let tag = self.token()?.to_owned();
                if !is_symbol_name(&tag) {
                    return self.fail("not a tag");
                }
                let value = self.nested(Self::required)?;
                Ok(Edn::Tagged(tag, Box::new(value)))
            }
        }
    }

    fn since(&self, start: usize) -> String {
        String::from_utf8_lossy(&self.text[start..self.offset]).into_owned()
    }

    /// Bytes up to the next delimiter.
    fn token(&mut self) -> Parsed<&'a str> {
        let rest = &self.text[self.offset..];
        let length = rest.iter().position(|&b| is_delimiter(b)).unwrap_or(rest.len());
        match std::str::from_utf8(&rest[..length]) {
            Ok(token) => {
                self.offset += length;
                Ok(token)
            }
            Err(_) => self.fail("not UTF-8"),
        }
    }

    /// A number, a keyword, a symbol, or one of the three words.
    fn atom(&mut self) -> Parsed<Edn> {
        let start = self.offset;
        let token = self.token()?;
        let atom = match token {
            "nil" => Some(Edn::Nil),
            "true" => Some(Edn::Bool(true)),
            "false" => Some(Edn::Bool(false)),
            _ => match token.strip_prefix(':') {
                Some(name) => is_keyword_name(name).then(|| Edn::Keyword(name.to_owned())),
                None if is_symbol_name(token) => Some(Edn::Symbol(token.to_owned())),
                None => number(token),
            },
        };
        atom.ok_or_else(|| {
            let shown: String = token.chars().take(40).collect();
            Failure { offset: start, message: format!("{shown:?} is no EDN value") }
        })
    }

    fn character(&mut self) -> Parsed<Edn> {
        self.offset += 1;
        // The first one may be a delimiter, as in `\(`.
        let rest = &self.text[self.offset..];
        let length = (1..rest.len()).find(|&i| is_delimiter(rest[i])).unwrap_or(rest.len());
        let Ok(name) = std::str::from_utf8(&rest[..length]) else { return self.fail("not UTF-8") };
        let mut chars = name.chars();
        let character = match (name, chars.next(), chars.as_str()) {
            (_, Some(only), "") => Some(only),
            ("newline", ..) => Some('\n'),
            ("return", ..) => Some('\r'),
            ("space", ..) => Some(' '),
            ("tab", ..) => Some('\t'),
            ("formfeed", ..) => Some('\x0c'),
            ("backspace", ..) => Some('\x08'),
            (_, Some('u'), hex) if hex.len() == 4 => {
                u32::from_str_radix(hex, 16).ok().and_then(char::from_u32)
            }
            _ => None,
        };
        match character {
            Some(character) => {
                self.offset += length;
                Ok(Edn::Char(character))
            }
            None => self.fail("not a character"),
        }
    }

    /// A string; the cursor is on its opening quote.
    fn string(&mut self) -> Parsed<String> {
        let open = self.offset;
        self.offset += 1;
        let mut bytes = Vec::new();
        loop {
            let rest = &self.text[self.offset..];
            let Some(plain) = rest.iter().position(|&b| b == b'"' || b == b'\\') else {
                let message = "this string is never closed".to_owned();
                return Err(Failure { offset: open, message });
            };
            bytes.extend_from_slice(&rest[..plain]);
            self.offset += plain + 1;
            if rest[plain] == b'"' {
                break;
            }
            let character = self.escape()?;
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        String::from_utf8(bytes)
            .map_err(|_| Failure { offset: open, message: "not UTF-8".to_owned() })
    }

    /// What follows the backslash in a string.
    fn escape(&mut self) -> Parsed<char> {
        let Some(byte) = self.peek() else { return self.fail("the text ends in an escape") };
        let character = match byte {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\x08',
            b'f' => '\x0c',
            b'"' | b'\\' | b'/' | b'\'' => char::from(byte),
            b'u' => {
                self.offset += 1;
                return self.unicode();
            }
            _ => return self.fail("an unknown escape"),
        };
        self.offset += 1;
        Ok(character)
    }

    /// Four hexadecimal digits, or two such escapes for a surrogate pair.
    fn unicode(&mut self) -> Parsed<char> {
        let first = self.hex4()?;
        let mut units = vec![first];
        if (0xD800..0xDC00).contains(&first) && self.text[self.offset..].starts_with(b"\\u") {
            self.offset += 2;
            units.push(self.hex4()?);
        }
        match char::decode_utf16(units).next() {
            Some(Ok(character)) => Ok(character),
            _ => self.fail("half a surrogate pair"),
        }
    }

    fn hex4(&mut self) -> Parsed<u16> {
        let digits = self.text.get(self.offset..self.offset + 4);
        let digits = digits.filter(|d| d.iter().all(u8::is_ascii_hexdigit));
        let unit = digits
            .and_then(|d| std::str::from_utf8(d).ok())
            .and_then(|d| u16::from_str_radix(d, 16).ok());
        match unit {
            Some(unit) => {
                self.offset += 4;
                Ok(unit)
            }
            None => self.fail("expected four hexadecimal digits"),
        }
    }
}

fn is_delimiter(byte: u8) -> bool {
    byte.is_ascii_whitespace() || b",()[]{}\";\\".contains(&byte)
}

/// A small map by looking, a large one by its keys' text.
fn has_duplicates(entries: &[(Edn, Edn)]) -> bool {
    if entries.len() <= 16 {
        return entries
            .iter()
            .enumerate()
            .any(|(i, (k, _))| entries[..i].iter().any(|(p, _)| p == k));
    }
    let mut seen = std::collections::HashSet::new();
    !entries.iter().all(|(key, _)| seen.insert(key.to_string()))
}

/// `#:ns{:a 1}` means `{:ns/a 1}`.
fn qualify(namespace: &str, entries: Vec<(Edn, Edn)>) -> Edn {
    let qualified = |key| match key {
        Edn::Keyword(name) => match name.strip_prefix("_/") {
            Some(bare) => Edn::Keyword(bare.to_owned()),
            None if name.contains('/') => Edn::Keyword(name),
            None => Edn::Keyword(format!("{namespace}/{name}")),
        },
        other => other,
    };
    Edn::Map(entries.into_iter().map(|(key, value)| (qualified(key), value)).collect())
}

/// A number in Clojure's notation.
fn number(token: &str) -> Option<Edn> {
    let unsigned = token.strip_prefix(['+', '-']).unwrap_or(token);
    let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, rest) = unsigned.split_at(digits);
    if whole.is_empty() || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    let as_written = || Some(Edn::Number(token.to_owned()));
    if rest.is_empty() {
        let fits = i128::from(i64::MIN)..=i128::from(u64::MAX);
        return match token.parse::<i128>() {
            Ok(integer) if fits.contains(&integer) => Some(Edn::Int(integer)),
            _ => as_written(),
        };
    }
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if rest == "N" || rest.strip_prefix('/').is_some_and(all_digits) {
        return as_written();
    }
    let (decimal, exact) = match rest.strip_suffix('M') {
        Some(decimal) => (decimal, true),
        None => (rest, false),
    };
    let (fraction, exponent) = match decimal.split_once(['e', 'E']) {
        Some((fraction, exponent)) => (fraction, Some(exponent)),
        None => (decimal, None),
    };
    let fraction_fits = fraction.is_empty()
        || fraction.strip_prefix('.').is_some_and(|f| f.is_empty() || all_digits(f));
    let exponent_fits =
        exponent.is_none_or(|e| all_digits(e.strip_prefix(['+', '-']).unwrap_or(e)));
    if !fraction_fits || !exponent_fits {
        return None;
    }
    match token.parse::<f64>() {
        _ if exact => as_written(),
        Ok(float) if float.is_finite() => Some(Edn::Float(float)),
        _ => as_written(),
    }
}
