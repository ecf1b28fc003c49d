// SHA-1 (RFC 3174) for pages that came over plain http from another machine: browsers give them no
// crypto.subtle. For short texts.

function sha1(bytes) {
  const blocks = Math.ceil((bytes.length + 9) / 64);
  const padded = new DataView(new ArrayBuffer(blocks * 64));
  bytes.forEach((byte, at) => padded.setUint8(at, byte));
  padded.setUint8(bytes.length, 0x80);
  padded.setUint32(blocks * 64 - 4, bytes.length * 8);

  const rotated = (word, by) => (word << by) | (word >>> (32 - by));
  let state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
  for (let block = 0; block < blocks; ++block) {
    const words = [];
    for (let i = 0; i < 80; ++i) {
      words.push(i < 16
        ? padded.getUint32(block * 64 + i * 4)
        : rotated(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1));
    }
    let [a, b, c, d, e] = state;
    words.forEach((word, i) => {
      const [mix, constant] =
        i < 20 ? [(b & c) | (~b & d), 0x5a827999]
        : i < 40 ? [b ^ c ^ d, 0x6ed9eba1]
        : i < 60 ? [(b & c) | (b & d) | (c & d), 0x8f1bbcdc]
        : [b ^ c ^ d, 0xca62c1d6];
      const next = (rotated(a, 5) + mix + e + constant + word) | 0;
      [a, b, c, d, e] = [next, a, rotated(b, 30), c, d];
    });
    state = [a, b, c, d, e].map((word, i) => (word + state[i]) | 0);
  }
  const digest = new DataView(new ArrayBuffer(20));
  state.forEach((word, i) => digest.setInt32(i * 4, word));
  return new Uint8Array(digest.buffer);
}
