// SPDX-License-Identifier: Apache-2.0
// AES-128 as FIPS 197 defines it, for benches; written independently of rtl/aes128.v: the S-box is computed from inverses in GF(2^8). The first byte is the leftmost.
module model_aes;
  function [7:0] times(input [7:0] a, input [7:0] b);
    integer i;
    reg [7:0] x;
    begin
      times = 0;
      x = a;
      for (i = 0; i < 8; i = i + 1) begin
        if (b[i]) times = times ^ x;
        x = {x[6:0], 1'b0} ^ (x[7] ? 8'h1b : 8'h00);
      end
    end
  endfunction
  reg [7:0] s[0:255];
  reg [7:0] a, inverse;
  integer v, w;
  initial
    for (v = 0; v < 256; v = v + 1) begin
      // v^254 is the inverse, and 0 for 0.
      inverse = 1;
      a = v[7:0];
      for (w = 1; w < 8; w = w + 1) begin
        a = times(a, a);
        inverse = times(inverse, a);
      end
      for (w = 0; w < 8; w = w + 1) s[v][w] = inverse[w] ^ inverse[(w+4)%8] ^ inverse[(w+5)%8] ^ inverse[(w+6)%8] ^ inverse[(w+7)%8] ^ (8'h63 >> w);
    end
  function [127:0] encrypt(input [127:0] key, input [127:0] block);
    integer round, i, r, c;
    reg [7:0] x[0:15], y[0:15], k[0:15], t[0:3], rcon;
    begin
      for (i = 0; i < 16; i = i + 1) begin
        k[i] = key[120-8*i+:8];
        x[i] = block[120-8*i+:8] ^ k[i];
      end
      rcon = 1;
      for (round = 1; round <= 10; round = round + 1) begin
        for (i = 0; i < 4; i = i + 1) t[i] = s[k[12+(i+1)%4]];
        t[0] = t[0] ^ rcon;
        rcon = times(rcon, 2);
        for (i = 0; i < 16; i = i + 1) k[i] = k[i] ^ (i < 4 ? t[i%4] : k[i-4]);
        // SubBytes and ShiftRows: byte 4 c + r comes from column c + r.
        for (c = 0; c < 4; c = c + 1) for (r = 0; r < 4; r = r + 1) y[4*c+r] = s[x[4*((c+r)%4)+r]];
        for (c = 0; c < 4; c = c + 1)
          for (r = 0; r < 4; r = r + 1)
            x[4*c+r] = k[4*c+r] ^ (round == 10 ? y[4*c+r] : times(y[4*c+r], 2) ^ times(y[4*c+(r+1)%4], 3) ^ y[4*c+(r+2)%4] ^ y[4*c+(r+3)%4]);
      end
      for (i = 0; i < 16; i = i + 1) encrypt[120-8*i+:8] = x[i];
    end
  endfunction
endmodule
