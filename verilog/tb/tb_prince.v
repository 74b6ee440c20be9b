// SPDX-License-Identifier: Apache-2.0
// Known answers: the five test vectors of the PRINCE paper (ASIACRYPT 2012, appendix A), and random blocks against model_prince.
`timescale 1ns / 1ps
module tb_prince;
  reg [63:0] k0, k1, plain;
  wire [63:0] cipher;
  integer errors = 0, i, seed = 1;
  model_prince model ();
  prince dut (
      .k0_i(k0), .k1_i(k1), .block_i(plain), .block_o(cipher)
  );
  task check(input [63:0] p, input [63:0] a, input [63:0] b, input [63:0] c);
    begin
      plain = p;
      k0 = a;
      k1 = b;
      #1;
      if (cipher !== c) begin
        errors = errors + 1;
        $display("# prince %h %h %h: %h, expected %h", p, a, b, cipher, c);
      end
    end
  endtask
  initial begin
    check(64'h0000000000000000, 64'h0000000000000000, 64'h0000000000000000, 64'h818665aa0d02dfda);
    check(64'hffffffffffffffff, 64'h0000000000000000, 64'h0000000000000000, 64'h604ae6ca03c20ada);
    check(64'h0000000000000000, 64'hffffffffffffffff, 64'h0000000000000000, 64'h9fb51935fc3df524);
    check(64'h0000000000000000, 64'h0000000000000000, 64'hffffffffffffffff, 64'h78a54cbe737bb7ef);
    check(64'h0123456789abcdef, 64'h0000000000000000, 64'hfedcba9876543210, 64'hae25ad3ca8fa9ccf);
    for (i = 0; i < 200; i = i + 1) begin
      plain = {$random(seed), $random(seed)};
      k0 = {$random(seed), $random(seed)};
      k1 = {$random(seed), $random(seed)};
      check(plain, k0, k1, model.encrypt(k0, k1, plain));
    end
    $display("%s", errors == 0 ? "PASS" : "FAIL");
    $finish;
  end
endmodule
