// SPDX-License-Identifier: Apache-2.0
// Known answers: FIPS 197 appendices B and C.1, and random blocks, back to back, against model_aes; a block takes 11 cycles.
`timescale 1ns / 1ps
module tb_aes128;
  reg clk = 0, rst_n = 0, start = 0;
  reg [127:0] key = 0, plain = 0;
  wire [127:0] cipher;
  integer errors = 0, i, j, seed = 1;
  always #5 clk = ~clk;
  model_aes model ();
  aes128 dut (
      .clk_i(clk), .rst_ni(rst_n), .start_i(start), .key_i(key), .block_i(plain), .block_o(cipher)
  );
  task check(input [127:0] k, input [127:0] p, input [127:0] c);
    begin
      #1 start = 1;
      key = k;
      plain = p;
      @(posedge clk);
      // What stands at the inputs later must not matter.
      #1 start = 0;
      key = ~k;
      plain = ~p;
      for (j = 1; j < 11; j = j + 1) begin
        if (cipher === c) begin
          errors = errors + 1;
          $display("# aes %h %h: ready %0d cycles early", k, p, 11 - j);
        end
        @(posedge clk);
        #1;
      end
      if (cipher !== c) begin
        errors = errors + 1;
        $display("# aes %h %h: %h, expected %h", k, p, cipher, c);
      end
    end
  endtask
  initial begin
    repeat (2) @(posedge clk);
    #1 rst_n = 1;
    check(128'h2b7e151628aed2a6abf7158809cf4f3c, 128'h3243f6a8885a308d313198a2e0370734, 128'h3925841d02dc09fbdc118597196a0b32);
    check(128'h000102030405060708090a0b0c0d0e0f, 128'h00112233445566778899aabbccddeeff, 128'h69c4e0d86a7b0430d8cdb78070b4c55a);
    repeat (20) @(posedge clk);
    #1 if (cipher !== 128'h69c4e0d86a7b0430d8cdb78070b4c55a) begin
      errors = errors + 1;
      $display("# aes: the result did not stay");
    end
    for (i = 0; i < 100; i = i + 1) begin
      key = {$random(seed), $random(seed), $random(seed), $random(seed)};
      plain = {$random(seed), $random(seed), $random(seed), $random(seed)};
      check(key, plain, model.encrypt(key, plain));
    end
    $display("%s", errors == 0 ? "PASS" : "FAIL");
    $finish;
  end
endmodule
