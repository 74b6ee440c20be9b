// SPDX-License-Identifier: Apache-2.0
// Row reads through `readout`, as RTL and as mapped netlist: provisioning and reads come from files, the words go into one, so that both can be compared. With DUMP the nets of the mapped
// netlist are dumped from the first read of the measured window on.
//   prov.hex: {address[16], data[64]}; plan.hex: {read, address} of each cycle; data.hex: what the array gives for each read
`timescale 1ns / 1ps
`ifndef DATA_BITS
`define DATA_BITS 1024
`endif
module tb;
  parameter ADDR = 14;
  real period;
  integer provisions, cycles, first, i, file, words = 0, sensed = 0;
  reg [79:0] prov[0:8191];
  reg [ADDR:0] plan[0:65535];
  reg [`DATA_BITS-1:0] data[0:32767];
  reg [8*512:1] name;

  reg clk = 0, rst_n = 0, read = 0, prov_valid = 0;
  reg [ADDR-1:0] addr = 0;
  reg [15:0] prov_addr = 0;
  reg [63:0] prov_data = 0;
  reg [`DATA_BITS-1:0] array_data = 0;
  wire ready, array_read, word_valid;
  wire [ADDR-1:0] array_addr;
  wire [`DATA_BITS-1:0] word;
  readout dut (
      .clk_i(clk), .rst_ni(rst_n), .tamper_i(1'b0), .read_i(read), .addr_i(addr), .ready_o(ready), .array_read_o(array_read), .array_addr_o(array_addr), .array_data_i(array_data),
      .word_valid_o(word_valid), .word_o(word), .prov_valid_i(prov_valid), .prov_addr_i(prov_addr), .prov_data_i(prov_data)
  );

  // The word of stage X as it stands at the end of its cycle.
  always @(posedge clk) if (word_valid === 1'b1) begin
    $fwrite(file, "%h\n", word);
    words = words + 1;
  end
  always begin
    #(period / 2) clk = 1;
    #(period / 2) clk = 0;
  end

  // Inputs change 0.2 periods after the edge; the array has sensed after 0.5 periods.
  integer at = 0;
  reg taken = 0;
  task cycle;
    begin
      @(posedge clk);
      taken = ready & read;
      #(0.2 * period);
      if (taken) at = at + 1;
    end
  endtask
  always @(posedge clk) begin : array
    reg go;
    go = ready & read;
    if (go) begin
      #(0.5 * period) array_data = data[sensed];
      sensed = sensed + 1;
    end
  end

  initial begin
    if (!$value$plusargs("period=%f", period)) period = 10.0;
    if (!$value$plusargs("provisions=%d", provisions)) provisions = 0;
    if (!$value$plusargs("cycles=%d", cycles)) cycles = 100;
    if (!$value$plusargs("first=%d", first)) first = 0;
    if (!$value$plusargs("words=%s", name)) name = "words.txt";
    file = $fopen(name, "w");
    if (provisions > 0) $readmemh("prov.hex", prov, 0, provisions - 1);
    $readmemh("plan.hex", plan, 0, cycles - 1);
    $readmemh("data.hex", data);
    repeat (4) cycle;
    rst_n = 1;
    repeat (2) cycle;
    for (i = 0; i < provisions; i = i + 1) begin
      prov_valid = 1;
      {prov_addr, prov_data} = prov[i];
      cycle;
    end
    prov_valid = 0;
    prov_addr = 0;
    prov_data = 0;
    repeat (2) cycle;
    for (i = 0; i < cycles; i = i + 1) begin
`ifdef DUMP
      if (i == first) begin
        if ($value$plusargs("dump=%s", name)) $dumpfile(name);
        $dumpvars(1, dut.core);
        // the window: from the next edge, which takes this read, to the one that takes the last
        $display("from %0.3f", $realtime + 0.8 * period);
      end
`endif
      {read, addr} = plan[i];
      cycle;
      while (read && !taken) cycle;
    end
    $display("to %0.3f", $realtime - 0.2 * period);
    read = 0;
    repeat (400) cycle;
    $display("words %0d", words);
    $finish;
  end
endmodule
