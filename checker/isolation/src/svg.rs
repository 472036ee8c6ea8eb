//! A cycle as a picture: transactions as boxes on a ring, edges as arrows with their reason.

use std::f64::consts::TAU;
use std::fmt::Write;

use crate::{Dependency, Finding, Step, elision};

/// Sizes in the picture's units, which are pixels unless it is scaled.
const BOX_WIDTH: f64 = 260.0;
const LINE_HEIGHT: f64 = 17.0;
const PADDING: f64 = 10.0;
/// Characters of a line in a box.
const LINE_CHARACTERS: usize = 36;
/// Lines of a box, the name among them.
const MOST_LINES: usize = 12;

impl Finding {
    /// A self-contained SVG of the cycle, or of the transactions alone where there is none.
    #[must_use]
    pub fn svg(&self) -> String {
        let mut boxes: Vec<Box> = self.named().map(|(name, text)| Box::new(&name, text)).collect();
        if let Some(gap) = elision::gap(self.left_out) {
            boxes.insert(gap, Box { name: format!("… {} more", self.left_out), lines: Vec::new() });
        }
        let ring = Ring::new(&boxes);
        let mut svg = format!(
            "<svg class=\"cycle\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w:.0} {h:.0}\" width=\"{w:.0}\" \
             height=\"{h:.0}\" role=\"img\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n<title>{}</title>\n{}",
            escaped(&self.anomaly.name()),
            STYLE,
            w = ring.width,
            h = ring.height,
        );
        for (at, step) in self.steps.iter().enumerate() {
            // Before and behind what is left out there are no arrows.
            let from = match elision::gap(self.left_out) {
                Some(gap) if at + 1 >= gap => at + 2,
                _ => at,
            };
            ring.arrow(&mut svg, &boxes, (from, (from + 1) % boxes.len()), step);
        }
        for (at, transaction) in boxes.iter().enumerate() {
            transaction.draw(&mut svg, ring.centre(at));
        }
        svg.push_str("</svg>\n");
        svg
    }
}

/// Colours for light and dark pages, of nothing but this picture, and the head of the arrows.
const STYLE: &str = "<style>\
    .cycle .t{fill:#fff;stroke:#57606a}.cycle text{fill:#1f2328}.cycle .n{font-weight:600}\
    .cycle .l{fill:#fff;stroke:none}.cycle path{fill:none;stroke-width:2}\
    .cycle .ww{stroke:#0969da}.cycle .wr{stroke:#1a7f37}.cycle .rw{stroke:#cf222e}\
    .cycle .time{stroke:#8250df;stroke-dasharray:6 4}\
    .cycle text.ww{fill:#0969da}.cycle text.wr{fill:#1a7f37}.cycle text.rw{fill:#cf222e}\
    .cycle text.time{fill:#8250df}.cycle text[text-anchor]{stroke:none;font-weight:600}\
    @media(prefers-color-scheme:dark){.cycle .t,.cycle .l{fill:#0d1117}.cycle .t{stroke:#8b949e}\
    .cycle text{fill:#e6edf3}}\
    </style>\n<defs><marker id=\"head\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"7\" \
    markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L10 5L0 10z\" style=\"fill:context-stroke;stroke:none\"/>\
    </marker></defs>\n";

/// A transaction, in lines that fit.
struct Box {
    name: String,
    lines: Vec<String>,
}

impl Box {
    fn new(name: &str, text: &str) -> Self {
        let (who, what) = text.split_once(": ").unwrap_or(("", text));
        let mut lines: Vec<String> = Vec::new();
        for micro_op in what.split(", ") {
            match lines.last_mut() {
                Some(line)
                    if line.chars().count() + micro_op.chars().count() + 2 <= LINE_CHARACTERS =>
                {
                    line.push_str(", ");
                    line.push_str(micro_op);
                }
                _ => lines.push(micro_op.chars().take(LINE_CHARACTERS).collect()),
            }
        }
        if lines.len() > MOST_LINES {
            lines.truncate(MOST_LINES - 1);
            lines.push("…".to_owned());
        }
        Self { name: format!("{name} · {who}"), lines }
    }

    fn height(&self) -> f64 {
        LINE_HEIGHT * (self.lines.len() as f64 + 1.0) + 2.0 * PADDING
    }

    fn draw(&self, svg: &mut String, (x, y): (f64, f64)) {
        let (left, top, height) = (x - BOX_WIDTH / 2.0, y - self.height() / 2.0, self.height());
        let _ = writeln!(
            svg,
            "<rect class=\"t\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{BOX_WIDTH}\" height=\"{height:.1}\" rx=\"6\"/>"
        );
        for (line, text) in std::iter::once(&self.name).chain(&self.lines).enumerate() {
            let class = if line == 0 { " class=\"n\"" } else { "" };
            let y = top + PADDING + LINE_HEIGHT * (line as f64 + 0.75);
            let (x, text) = (left + PADDING, escaped(text));
            let _ = writeln!(svg, "<text{class} x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>");
        }
    }
}

/// Where the boxes stand: two side by side, more on an ellipse, clockwise from the left.
struct Ring {
    width: f64,
    height: f64,
    count: usize,
    radii: (f64, f64),
}

impl Ring {
    fn new(boxes: &[Box]) -> Self {
        const BETWEEN: f64 = 190.0;
        const MARGIN: f64 = 24.0;
        let tallest = boxes.iter().map(Box::height).fold(0.0, f64::max);
        let around = (boxes.len() as f64 / TAU).max(0.5);
        let radii = match boxes.len() {
            0 | 1 => (0.0, 0.0),
            2 => ((BOX_WIDTH + BETWEEN) / 2.0, 0.0),
            _ => (around.max(1.0) * (BOX_WIDTH + 130.0), around.max(1.0) * (tallest + 80.0)),
        };
        let bend = if boxes.len() == 2 { 110.0 } else { 0.0 };
        Self {
            width: 2.0 * (radii.0 + MARGIN) + BOX_WIDTH,
            height: (2.0 * (radii.1 + MARGIN) + tallest).max(bend + 2.0 * MARGIN),
            count: boxes.len(),
            radii,
        }
    }

    fn centre(&self, at: usize) -> (f64, f64) {
        let angle = TAU * (at as f64 / self.count.max(1) as f64 + 0.5);
        let (x, y) = (angle.cos() * self.radii.0, angle.sin() * self.radii.1);
        (self.width / 2.0 + x, self.height / 2.0 + y)
    }

    /// From the edge of one box to the edge of the next, bent where two arrows join the same boxes.
    fn arrow(&self, svg: &mut String, boxes: &[Box], (from, to): (usize, usize), step: &Step) {
        let (start, end) = (self.centre(from), self.centre(to));
        let (dx, dy) = (end.0 - start.0, end.1 - start.1);
        let length = dx.hypot(dy).max(1.0);
        let bend = if self.count == 2 { 40.0 } else { 0.0 };
        // To the left of the way, as seen on the screen.
        let control = (
            (start.0 + end.0) / 2.0 + dy / length * bend,
            (start.1 + end.1) / 2.0 - dx / length * bend,
        );
        let (from_x, from_y) = border(start, control, &boxes[from]);
        let (to_x, to_y) = border(end, control, &boxes[to]);
        let class = match step.dependency {
            Dependency::Ww => "ww",
            Dependency::Wr => "wr",
            Dependency::Rw => "rw",
            Dependency::Process | Dependency::Realtime => "time",
        };
        let _ = writeln!(
            svg,
            "<path class=\"{class}\" marker-end=\"url(#head)\" d=\"M{from_x:.1} {from_y:.1}Q{:.1} {:.1} {to_x:.1} {to_y:.1}\"/>",
            control.0, control.1
        );
        let label = match &step.key {
            Some(key) => format!("{} {key}", step.dependency),
            None => step.dependency.to_string(),
        };
        let label: String = label.chars().take(LINE_CHARACTERS).collect();
        let (x, y) =
            ((from_x + to_x) / 4.0 + control.0 / 2.0, (from_y + to_y) / 4.0 + control.1 / 2.0);
        let half = label.chars().count() as f64 * 4.0 + 6.0;
        let _ = writeln!(
            svg,
            "<rect class=\"l\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"18\"/>\
             <text class=\"{class}\" text-anchor=\"middle\" x=\"{x:.1}\" y=\"{:.1}\">{}<title>{}</title></text>",
            x - half,
            y - 9.0,
            2.0 * half,
            y + 4.5,
            escaped(&label),
            escaped(&step.sentence)
        );
    }
}

/// Where the line from a box's centre to a point leaves the box.
fn border(centre: (f64, f64), towards: (f64, f64), of: &Box) -> (f64, f64) {
    const GAP: f64 = 3.0;
    let (dx, dy) = (towards.0 - centre.0, towards.1 - centre.1);
    let (width, height) = (BOX_WIDTH / 2.0 + GAP, of.height() / 2.0 + GAP);
    let scale = (width / dx.abs().max(1e-9)).min(height / dy.abs().max(1e-9));
    (centre.0 + dx * scale, centre.1 + dy * scale)
}

/// Text that XML takes for text, without characters that it does not allow.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other if other.is_control() || matches!(other, '\u{fffe}' | '\u{ffff}') => {
                escaped.push('\u{fffd}');
            }
            other => escaped.push(other),
        }
    }
    escaped
}
