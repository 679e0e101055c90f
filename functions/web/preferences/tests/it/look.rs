//! The style of the pages.

/// The style, as it is in every page.
const STYLE: &str = include_str!("../../templates/page.css");

/// A colour in light and in dark.
fn colour(name: &str) -> [[f64; 3]; 2] {
    let (_, rest) = STYLE.split_once(&format!("--{name}: light-dark(")).expect(name);
    let (both, _) = rest.split_once(')').expect("a value");
    let (light, dark) = both.split_once(", ").expect("two values");
    [light, dark].map(|hex| {
        let part = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("a colour");
        [1, 3, 5].map(|at| f64::from(part(at)) / 255.0)
    })
}

/// Relative luminance by WCAG 2.
fn luminance(colour: [f64; 3]) -> f64 {
    let linear = colour.map(|part| {
        if part <= 0.04045 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

/// Text needs a contrast of 4.5, borders of controls and the focus one of 3.
#[test]
fn colours_have_contrast_in_light_and_dark() {
    for (front, back, least) in [
        ("text", "bg", 4.5),
        ("soft", "bg", 4.5),
        ("accent", "bg", 4.5),
        ("on-primary", "primary", 4.5),
        ("ok", "on-ok", 4.5),
        ("warn", "on-warn", 4.5),
        ("control", "bg", 3.0),
        ("ring", "bg", 3.0),
        ("primary", "bg", 3.0),
    ] {
        for (front_colour, back_colour) in colour(front).into_iter().zip(colour(back)) {
            let (one, other) = (luminance(front_colour), luminance(back_colour));
            let contrast = (one.max(other) + 0.05) / (one.min(other) + 0.05);
            assert!(contrast >= least, "{front} on {back}: {contrast:.1}");
        }
    }
}

/// A single style serves both directions of writing, and people who use a keyboard.
#[test]
fn style_knows_no_left_and_right() {
    for sided in ["left", "right"] {
        assert!(!STYLE.contains(sided), "{sided}");
    }
    assert!(STYLE.contains(":focus-visible { outline: 2px solid var(--ring)"));
    assert!(!STYLE.contains("outline: none") && !STYLE.contains("url("));
}
