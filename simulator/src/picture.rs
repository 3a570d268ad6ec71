//! PNG files in memory.

use png::{BitDepth, ColorType, Compression, Encoder, EncodingError};

/// Encodes rows without padding between them (packed rows start on a byte).
pub fn encode(
    width: u32,
    height: u32,
    colour: ColorType,
    depth: BitDepth,
    pixels: &[u8],
) -> Result<Vec<u8>, EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width, height);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    encoder.set_compression(Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}

/// A 1-bit picture in which a set bit is black, as printers have it.
pub fn encode_black_on_white(width: u32, height: u32, rows: &[u8]) -> Result<Vec<u8>, EncodingError> {
    // In a PNG of one bit per pixel a set bit is white.
    let inverted: Vec<u8> = rows.iter().map(|byte| !byte).collect();
    encode(width, height, ColorType::Grayscale, BitDepth::One, &inverted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_bits_are_black_in_the_picture() {
        let png = encode_black_on_white(9, 1, &[0b1000_0000, 0b1000_0000]).unwrap();
        let mut decoder = png::Decoder::new(std::io::Cursor::new(png));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().unwrap();
        let mut grey = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut grey).unwrap();
        assert_eq!(&grey[..9], [0, 255, 255, 255, 255, 255, 255, 255, 0]);
    }
}
