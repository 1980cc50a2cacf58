//! Colours of pages and pictures, each with a light and a dark value.
//!
//! Pictures are drawn with the light values. [`css`] maps them, attribute by attribute, to CSS variables that change with the
//! reader's colour scheme, so that one drawing serves both and still stands alone as a plain SVG.

use plotters::style::RGBColor;
use std::fmt::Write;

/// One colour role.
#[derive(Debug, PartialEq, Eq)]
pub struct Colour {
    /// Name of the CSS variable, without dashes.
    pub name: &'static str,
    pub light: (u8, u8, u8),
    pub dark: (u8, u8, u8),
    /// Text on it is white; otherwise nearly black.
    pub white_text: bool,
}

const fn colour(name: &'static str, light: u32, dark: u32, white_text: bool) -> Colour {
    const fn split(c: u32) -> (u8, u8, u8) {
        ((c >> 16) as u8, (c >> 8) as u8, c as u8)
    }
    Colour { name, light: split(light), dark: split(dark), white_text }
}

pub const INK: Colour = colour("ink", 0x1B1D21, 0xECEBE8, true);
pub const SOFT_INK: Colour = colour("soft-ink", 0x5A5D63, 0xB3B2AD, true);
pub const RULE: Colour = colour("rule", 0xDEDDD8, 0x3A3A38, false);
pub const SURFACE: Colour = colour("surface", 0xFCFCFB, 0x1A1A19, false);
pub const BACK: Colour = colour("back", 0xF1F0EC, 0x252523, false);

// The units of the chip and the kinds of their work, in shades of the unit's colour (`family`, `all::units`, docs/pictures), and
// cycles lost. Nothing else on any page has these colours.

pub const BLUE: Colour = colour("blue", 0x2A78D6, 0x4A90E2, true);
pub const NAVY: Colour = colour("navy", 0x164A8C, 0x2A62B0, true);
pub const SKY: Colour = colour("sky", 0x86B6EF, 0xB3D1F7, false);
pub const STEEL: Colour = colour("steel", 0x5F7F9F, 0x7E9DBD, true);
pub const YELLOW: Colour = colour("yellow", 0xEDA100, 0xD29A14, false);
pub const AMBER: Colour = colour("amber", 0xB87900, 0xB98122, false);
pub const SAND: Colour = colour("sand", 0xF6D48A, 0xF0D79E, false);
pub const MUSTARD: Colour = colour("mustard", 0x8C7A1A, 0x9C8A30, true);
pub const VIOLET: Colour = colour("violet", 0x5B45B5, 0x9483E8, true);
pub const AQUA: Colour = colour("aqua", 0x1BAF7A, 0x21A577, false);
pub const PINK: Colour = colour("pink", 0xE87BA4, 0xD6709A, false);
pub const GREY: Colour = colour("grey", 0x9A9C9F, 0x7C7D7E, false);
pub const SLATE: Colour = colour("slate", 0x6E7277, 0x5E6064, true);
pub const PALE_GREY: Colour = colour("pale-grey", 0xC9CACB, 0xA9AAAA, false);
/// Cycles lost, or something gone wrong.
pub const RED: Colour = colour("red", 0xD03B3B, 0xE0605E, true);

// All that is no unit of the chip.

pub const TEAL: Colour = colour("teal", 0x0F7C8A, 0x2796A5, true);
pub const MAGENTA: Colour = colour("magenta", 0xA8327A, 0xC9559A, true);
pub const GREEN: Colour = colour("green", 0x4E8A1F, 0x6AA335, true);
pub const ORANGE: Colour = colour("orange", 0xEB6834, 0xDE6A3A, false);
pub const SIENNA: Colour = colour("sienna", 0x9C4F32, 0xB56B4D, true);
pub const LIME: Colour = colour("lime", 0xA3B83A, 0xABBE4C, false);
pub const CYAN: Colour = colour("cyan", 0x5CC4CF, 0x86D6DE, false);

/// Lines of a picture, in the order of its legend.
pub const SERIES: [&Colour; 8] = [&TEAL, &MAGENTA, &GREEN, &ORANGE, &SIENNA, &LIME, &CYAN, &INK];

/// Weights by the bits of an element: 4, 4 beside a branch of 16, 8.
pub const W4: &Colour = &GREEN;
pub const W4_AND_BRANCH: &Colour = &LIME;
pub const W8: &Colour = &MAGENTA;

/// The colour of weights by the name that the record of an accuracy study gives them.
pub fn weights(name: &str) -> &'static Colour {
    match name {
        "w4" => W4,
        "w4-gptq" => &ORANGE,
        "w8" => W8,
        _ => &CYAN,
    }
}

/// The chip against memories, its own or outside, and against what others published.
pub const LOGIC: &Colour = &TEAL;
pub const MEMORY: &Colour = &SIENNA;
pub const PUBLISHED: &Colour = &ORANGE;
/// What is there and not used.
pub const FREE: &Colour = &RULE;

/// Text on dark and on light fills; the same in both schemes, hence no roles.
pub const WHITE_TEXT: RGBColor = RGBColor(0xFF, 0xFF, 0xFF);
pub const BLACK_TEXT: RGBColor = RGBColor(0x11, 0x11, 0x12);

pub const ALL: [&Colour; 27] = [
    &INK, &SOFT_INK, &RULE, &SURFACE, &BACK, &BLUE, &NAVY, &SKY, &STEEL, &YELLOW, &AMBER, &SAND, &MUSTARD, &VIOLET,
    &AQUA, &PINK, &GREY, &SLATE, &PALE_GREY, &RED, &TEAL, &MAGENTA, &GREEN, &ORANGE, &SIENNA, &LIME, &CYAN,
];

impl Colour {
    /// What pictures are drawn with.
    pub fn rgb(&self) -> RGBColor {
        RGBColor(self.light.0, self.light.1, self.light.2)
    }

    /// Colour of text on a fill of this colour.
    pub fn text_on(&self) -> RGBColor {
        if self.white_text {
            WHITE_TEXT
        } else {
            BLACK_TEXT
        }
    }

    /// Returns the colour as a CSS value.
    pub fn css(&self) -> String {
        format!("var(--{})", self.name)
    }
}

fn hex((r, g, b): (u8, u8, u8)) -> String {
    format!("#{r:02X}{g:02X}{b:02X}") // upper case, as plotters prints: attribute selectors are case sensitive
}

/// Variables for both schemes and the mapping from drawn colours to variables.
pub fn css() -> String {
    let variables = |pick: fn(&Colour) -> (u8, u8, u8)| {
        ALL.iter().fold(String::new(), |s, c| s + &format!("--{}:{};", c.name, hex(pick(c))))
    };
    let (light, dark) = (variables(|c| c.light), variables(|c| c.dark));
    let mut s =
        format!(":root{{color-scheme:light dark;{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n");
    for c in ALL {
        let (from, to) = (hex(c.light), c.css());
        // writing to a String cannot fail
        let _ = writeln!(s, "svg [fill=\"{from}\"]{{fill:{to}}}svg [stroke=\"{from}\"]{{stroke:{to}}}");
    }
    s
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_colours_are_distinct() {
        for (i, a) in ALL.iter().enumerate() {
            for b in &ALL[..i] {
                assert!(
                    a.light != b.light && a.name != b.name,
                    "{} and {}: the mapping would be ambiguous",
                    a.name,
                    b.name
                );
            }
            assert!(a.rgb() != WHITE_TEXT && a.rgb() != BLACK_TEXT, "{}", a.name);
        }
    }
}
