//! Boxes on a ring and arrows between them: a violation as a drawing of its own, an SVG document.

use std::f64::consts::TAU;

use history::{Arrow, Picture, PictureBox};

use crate::markup::Markup;

/// Sizes in the drawing's units, which are pixels unless it is scaled.
const BOX_WIDTH: f64 = 260.0;
const LINE_HEIGHT: f64 = 17.0;
const PADDING: f64 = 10.0;
/// Characters of a line in a box.
const LINE_CHARACTERS: usize = 36;
/// Lines of a box below its title.
const MOST_LINES: usize = 12;

/// Colours for light and dark pages, of nothing but this drawing, and the head of the arrows.
const STYLE: &str = "<style>\
    .cycle .t{fill:#fff;stroke:#57606a}.cycle text{fill:#1f2328}.cycle .n{font-weight:600}\
    .cycle .l{fill:#fff;stroke:none}.cycle path{fill:none;stroke-width:2}\
    .cycle .ww{stroke:#0969da}.cycle .wr{stroke:#1a7f37}.cycle .rw{stroke:#cf222e}\
    .cycle .time{stroke:#8250df;stroke-dasharray:6 4}\
    .cycle text.ww{fill:#0969da}.cycle text.wr{fill:#1a7f37}.cycle text.rw{fill:#cf222e}\
    .cycle text.time{fill:#8250df}.cycle text[text-anchor]{stroke:none;font-weight:600}\
    @media(prefers-color-scheme:dark){.cycle .t,.cycle .l{fill:#0d1117}.cycle .t{stroke:#8b949e}\
    .cycle text{fill:#e6edf3}}\
    </style><defs><marker id='head' viewBox='0 0 10 10' refX='9' refY='5' markerWidth='7' markerHeight='7' \
    orient='auto'><path d='M0 0L10 5L0 10z' style='fill:context-stroke;stroke:none'/></marker></defs>";

/// The drawing, a whole document that needs nothing else; nothing where there are no boxes.
pub fn render(picture: &Picture, title: &str) -> Markup {
    let mut svg = Markup::new();
    if picture.boxes.is_empty() {
        return svg;
    }
    let boxes: Vec<DrawnBox<'_>> = picture.boxes.iter().map(DrawnBox::new).collect();
    let ring = Ring::new(&boxes);
    let (width, height) = (ring.width.round(), ring.height.round());
    svg.push(
        "<svg class='cycle' xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {} {}' width='{}' height='{}' role='img' \
         font-family='system-ui, sans-serif' font-size='13'><title>{}</title>",
        &[&width, &height, &width, &height, &title],
    );
    svg.raw(STYLE);
    for arrow in &picture.arrows {
        ring.arrow_into(&mut svg, &boxes, arrow);
    }
    for (at, one) in boxes.iter().enumerate() {
        one.render_into(&mut svg, ring.centre(at));
    }
    svg.raw("</svg>");
    svg
}

/// A box, its text in lines that fit.
struct DrawnBox<'a> {
    title: &'a str,
    lines: Vec<String>,
}

impl<'a> DrawnBox<'a> {
    fn new(of: &'a PictureBox) -> Self {
        let mut lines: Vec<String> = Vec::new();
        for part in of.text.split(", ").filter(|part| !part.is_empty()) {
            match lines.last_mut() {
                Some(line)
                    if line.chars().count() + part.chars().count() + 2 <= LINE_CHARACTERS =>
                {
                    line.push_str(", ");
                    line.push_str(part);
                }
                _ => lines.push(part.chars().take(LINE_CHARACTERS).collect()),
            }
        }
        if lines.len() > MOST_LINES {
            lines.truncate(MOST_LINES - 1);
            lines.push("…".to_owned());
        }
        Self { title: &of.title, lines }
    }

    fn height(&self) -> f64 {
        LINE_HEIGHT * (self.lines.len() as f64 + 1.0) + 2.0 * PADDING
    }

    fn render_into(&self, svg: &mut Markup, (x, y): (f64, f64)) {
        let (left, top, height) = (x - BOX_WIDTH / 2.0, y - self.height() / 2.0, self.height());
        svg.push(
            "<rect class='t' x='{}' y='{}' width='{}' height='{}' rx='6'/>",
            &[&left, &top, &BOX_WIDTH, &height],
        );
        let (x, first) = (left + PADDING, top + PADDING + LINE_HEIGHT * 0.75);
        svg.push("<text class='n' x='{}' y='{}'>{}</text>", &[&x, &first, &self.title]);
        for (line, text) in self.lines.iter().enumerate() {
            let y = first + LINE_HEIGHT * (line as f64 + 1.0);
            svg.push("<text x='{}' y='{}'>{}</text>", &[&x, &y, text]);
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
    fn new(boxes: &[DrawnBox<'_>]) -> Self {
        const BETWEEN: f64 = 190.0;
        const MARGIN: f64 = 24.0;
        let tallest = boxes.iter().map(DrawnBox::height).fold(0.0, f64::max);
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
    fn arrow_into(&self, svg: &mut Markup, boxes: &[DrawnBox<'_>], arrow: &Arrow) {
        let (Some(from), Some(to)) = (boxes.get(arrow.from), boxes.get(arrow.to)) else { return };
        let (start, end) = (self.centre(arrow.from), self.centre(arrow.to));
        let (dx, dy) = (end.0 - start.0, end.1 - start.1);
        let length = dx.hypot(dy).max(1.0);
        let bend = if self.count == 2 { 40.0 } else { 0.0 };
        // To the left of the way, as seen on the screen.
        let control = (
            (start.0 + end.0) / 2.0 + dy / length * bend,
            (start.1 + end.1) / 2.0 - dx / length * bend,
        );
        let (from_x, from_y) = border(start, control, from);
        let (to_x, to_y) = border(end, control, to);
        let class = match arrow.kind.as_str() {
            "ww" => "ww",
            "wr" => "wr",
            "rw" => "rw",
            _ => "time",
        };
        svg.push(
            "<path class='{}' marker-end='url(#head)' d='M{} {}Q{} {} {} {}'/>",
            &[&class, &from_x, &from_y, &control.0, &control.1, &to_x, &to_y],
        );
        let label = match &arrow.key {
            Some(key) => format!("{} {key}", arrow.kind),
            None => arrow.kind.clone(),
        };
        let label: String = label.chars().take(LINE_CHARACTERS).collect();
        let (x, y) =
            ((from_x + to_x) / 4.0 + control.0 / 2.0, (from_y + to_y) / 4.0 + control.1 / 2.0);
        let half = label.chars().count() as f64 * 4.0 + 6.0;
        svg.push(
            "<rect class='l' x='{}' y='{}' width='{}' height='18'/>\
             <text class='{}' text-anchor='middle' x='{}' y='{}'>{}<title>{}</title></text>",
            &[
                &(x - half),
                &(y - 9.0),
                &(2.0 * half),
                &class,
                &x,
                &(y + 4.5),
                &label,
                &arrow.sentence,
            ],
        );
    }
}

/// Where the line from a box's centre to a point leaves the box.
fn border(centre: (f64, f64), towards: (f64, f64), of: &DrawnBox<'_>) -> (f64, f64) {
    const GAP: f64 = 3.0;
    let (dx, dy) = (towards.0 - centre.0, towards.1 - centre.1);
    let (width, height) = (BOX_WIDTH / 2.0 + GAP, of.height() / 2.0 + GAP);
    let scale = (width / dx.abs().max(1e-9)).min(height / dy.abs().max(1e-9));
    (centre.0 + dx * scale, centre.1 + dy * scale)
}
