// SPDX-License-Identifier: Apache-2.0
// PRINCE as its paper defines it, step by step, for benches; written independently of rtl/prince.v: nibbles in loops, the matrix from its definition.
module model_prince;
  function [3:0] s(input [3:0] x);
    // S[0] .. S[15] = B F 3 2 A C 9 1 6 7 8 0 E 5 D 4, first entry leftmost
    s = 64'hBF32AC916780E5D4 >> (4 * (15 - x));
  endfunction
  reg [3:0] s_inverse[0:15];
  integer v;
  initial for (v = 0; v < 16; v = v + 1) s_inverse[s(v)] = v;
  // Nibble 0 is the leftmost.
  function [63:0] substitute(input [63:0] x, input inverse);
    integer i;
    for (i = 0; i < 64; i = i + 4) substitute[i+:4] = inverse ? s_inverse[x[i+:4]] : s(x[i+:4]);
  endfunction
  // Bits are counted from the left. M-hat(k) of 16 bits: output bit (row r, column c) is the XOR of the input nibbles' bits c without that of nibble (c - r - k) mod 4:
  // block row r of M-hat(0) is M_r, M_r+1, M_r+2, M_r+3 (indices mod 4), and M_i is the identity without its row i.
  function [15:0] m_hat(input [15:0] x, input integer k);
    integer r, c, n;
    reg bit_out;
    for (r = 0; r < 4; r = r + 1)
      for (c = 0; c < 4; c = c + 1) begin
        bit_out = 0;
        for (n = 0; n < 4; n = n + 1) if ((r + n + k) % 4 != c) bit_out = bit_out ^ x[15-4*n-c];
        m_hat[15-4*r-c] = bit_out;
      end
  endfunction
  function [63:0] m_prime(input [63:0] x);
    m_prime = {m_hat(x[63:48], 0), m_hat(x[47:32], 1), m_hat(x[31:16], 1), m_hat(x[15:0], 0)};
  endfunction
  // Rows as in AES: output nibble i is input nibble 5 i mod 16.
  function [63:0] shift(input [63:0] x, input inverse);
    integer i;
    for (i = 0; i < 16; i = i + 1)
      if (inverse) shift[60-4*(5*i%16)+:4] = x[60-4*i+:4];
      else shift[60-4*i+:4] = x[60-4*(5*i%16)+:4];
  endfunction
  function [63:0] constant(input integer i);
    case (i)
      0: constant = 64'h0000000000000000;
      1: constant = 64'h13198a2e03707344;
      2: constant = 64'ha4093822299f31d0;
      3: constant = 64'h082efa98ec4e6c89;
      4: constant = 64'h452821e638d01377;
      5: constant = 64'hbe5466cf34e90c6c;
      6: constant = 64'h7ef84f78fd955cb1;
      7: constant = 64'h85840851f1ac43aa;
      8: constant = 64'hc882d32f25323c54;
      9: constant = 64'h64a51195e0e3610d;
      10: constant = 64'hd3b5a399ca0c2399;
      default: constant = 64'hc0ac29b7c97c50dd;
    endcase
  endfunction
  function [63:0] encrypt(input [63:0] k0, input [63:0] k1, input [63:0] block);
    integer i;
    reg [63:0] x;
    begin
      x = block ^ k0 ^ k1 ^ constant(0);
      for (i = 1; i <= 5; i = i + 1) x = shift(m_prime(substitute(x, 0)), 0) ^ constant(i) ^ k1;
      x = substitute(m_prime(substitute(x, 0)), 1);
      for (i = 6; i <= 10; i = i + 1) x = substitute(m_prime(shift(x ^ constant(i) ^ k1, 1)), 1);
      encrypt = x ^ constant(11) ^ k1 ^ {k0[0], k0[63:1]} ^ {63'd0, k0[63]};
    end
  endfunction
endmodule
