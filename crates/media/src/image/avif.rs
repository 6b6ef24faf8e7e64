//! AVIF: AV1 frames turned into RGB.

use super::bitmap::{Bitmap, Layout};
use crate::container::{AvifItems, avif_items, check_frames};
use crate::{Fault, Limits, Size};
use re_rav1d::dav1d::pixel::{MatrixCoefficients, YUVRange};
use re_rav1d::dav1d::{
    BitsPerComponent, Decoder, Picture, PixelLayout, PlanarImageComponent as Channel, Plane, Settings,
};

type Result<T> = std::result::Result<T, Fault>;

pub(super) fn decode(data: &[u8], limits: &Limits) -> Result<Bitmap> {
    let AvifItems { colour, alpha, is_premultiplied } = avif_items(data)?;
    let frame = first_frame(&colour, limits)?;
    let size = Size { width: frame.width(), height: frame.height() };
    let mut pixels = to_rgba(&frame)?;
    let Some(alpha) = alpha else { return Bitmap::new(size, Layout::Rgba, pixels) };
    let alpha = first_frame(&alpha, limits)?;
    if (alpha.width(), alpha.height()) != (size.width, size.height) {
        return Err(Fault::broken("its sizes do not agree"));
    }
    let scale = Scale::of(&alpha);
    let plane = Samples::of(&alpha, Channel::Y);
    let width = size.width as usize;
    for (place, pixel) in pixels.chunks_exact_mut(4).enumerate() {
        let value = scale.luma(plane.at(place % width, place / width));
        pixel[3] = byte(value);
        if is_premultiplied && value > 0.0 {
            for channel in &mut pixel[..3] {
                *channel = byte(f32::from(*channel) / 255.0 / value);
            }
        }
    }
    Bitmap::new(size, Layout::Rgba, pixels)
}

fn first_frame(bitstream: &[u8], limits: &Limits) -> Result<Picture> {
    check_frames(bitstream)?;
    let failed = |failure| {
        tracing::debug!(%failure, "an AV1 frame cannot be decoded");
        Fault::broken("it cannot be decoded")
    };
    let mut settings = Settings::new();
    settings.set_n_threads(1);
    settings.set_max_frame_delay(1);
    settings.set_all_layers(false);
    settings.set_strict_std_compliance(true);
    settings.set_frame_size_limit(u32::try_from(limits.max_pixels).unwrap_or(u32::MAX));
    let mut decoder = Decoder::with_settings(&settings).map_err(failed)?;
    decoder.send_data(bitstream.to_vec(), None, None, None).map_err(failed)?;
    decoder.get_picture().map_err(failed)
}

/// The samples of one channel of a frame.
struct Samples {
    plane: Option<Plane>,
    stride: usize,
    is_wide: bool,
}

impl Samples {
    fn of(frame: &Picture, channel: Channel) -> Samples {
        // A grey frame has no planes for colour; asking for them would panic.
        let is_there = channel == Channel::Y || frame.pixel_layout() != PixelLayout::I400;
        let (stride, is_wide) = (frame.stride(channel) as usize, frame.bit_depth() > 8);
        Samples { plane: is_there.then(|| frame.plane(channel)), stride, is_wide }
    }

    fn at(&self, x: usize, y: usize) -> f32 {
        let Some(plane) = &self.plane else { return 0.0 };
        let row = y * self.stride;
        let sample = match self.is_wide {
            false => plane.get(row + x).copied().map(u16::from),
            true => plane.get(row + 2 * x..row + 2 * x + 2).map(|pair| u16::from_ne_bytes([pair[0], pair[1]])),
        };
        sample.map_or(0.0, f32::from)
    }
}

/// Turns stored numbers into 0 to 1 (brightness) and -0.5 to 0.5 (colour).
struct Scale {
    black: f32,
    luma_range: f32,
    middle: f32,
    chroma_range: f32,
}

impl Scale {
    fn of(frame: &Picture) -> Scale {
        let unit = match frame.bits_per_component() {
            Some(BitsPerComponent(10)) => 4.0,
            Some(BitsPerComponent(12)) => 16.0,
            _ => 1.0,
        };
        let full = 256.0 * unit - 1.0;
        match frame.color_range() {
            YUVRange::Full => Scale { black: 0.0, luma_range: full, middle: 128.0 * unit, chroma_range: full },
            YUVRange::Limited => {
                let (luma_range, chroma_range) = (219.0 * unit, 224.0 * unit);
                Scale { black: 16.0 * unit, luma_range, middle: 128.0 * unit, chroma_range }
            }
        }
    }

    fn luma(&self, value: f32) -> f32 {
        ((value - self.black) / self.luma_range).clamp(0.0, 1.0)
    }

    fn chroma(&self, value: f32) -> f32 {
        (value - self.middle) / self.chroma_range
    }
}

fn to_rgba(frame: &Picture) -> Result<Vec<u8>> {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let (halved_x, halved_y) = match frame.pixel_layout() {
        PixelLayout::I400 | PixelLayout::I444 => (0, 0),
        PixelLayout::I422 => (1, 0),
        PixelLayout::I420 => (1, 1),
    };
    let is_grey = frame.pixel_layout() == PixelLayout::I400;
    let scale = Scale::of(frame);
    let matrix = frame.matrix_coefficients();
    let [luma, u, v] = [Channel::Y, Channel::U, Channel::V].map(|channel| Samples::of(frame, channel));
    let mut out = Vec::with_capacity(width * height * 4);
    for y in 0..height {
        for x in 0..width {
            let brightness = luma.at(x, y);
            let (cx, cy) = (x >> halved_x, y >> halved_y);
            let rgb = if is_grey {
                [scale.luma(brightness); 3]
            } else if matrix == MatrixCoefficients::Identity {
                [v.at(cx, cy), brightness, u.at(cx, cy)].map(|value| scale.luma(value))
            } else {
                from_ycc(scale.luma(brightness), [scale.chroma(u.at(cx, cy)), scale.chroma(v.at(cx, cy))], matrix)
            };
            let [r, g, b] = rgb.map(byte);
            out.extend_from_slice(&[r, g, b, 255]);
        }
    }
    Ok(out)
}

/// ITU-T H.273, section 8.3.
fn from_ycc(y: f32, [cb, cr]: [f32; 2], matrix: MatrixCoefficients) -> [f32; 3] {
    if matrix == MatrixCoefficients::YCgCo {
        let rest = y - cb;
        return [rest + cr, y + cb, rest - cr];
    }
    let (kr, kb) = match matrix {
        MatrixCoefficients::BT709 => (0.2126, 0.0722),
        MatrixCoefficients::BT470M => (0.30, 0.11),
        MatrixCoefficients::ST240M => (0.212, 0.087),
        MatrixCoefficients::BT2020NonConstantLuminance | MatrixCoefficients::BT2020ConstantLuminance => {
            (0.2627, 0.0593)
        }
        _ => (0.299, 0.114),
    };
    let (r, b) = (y + 2.0 * (1.0 - kr) * cr, y + 2.0 * (1.0 - kb) * cb);
    [r, (y - kr * r - kb * b) / (1.0 - kr - kb), b]
}

fn byte(value: f32) -> u8 {
    (value.clamp(0.0, 1.0) * 255.0).round() as u8
}
