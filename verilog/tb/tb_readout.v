// SPDX-License-Identifier: Apache-2.0
// Random back-to-back row reads through `readout` with the decryptor that DECRYPTOR names, compared with a model written here: an array whose words are a function of the row, and a list
// of keyed bits. KIND says which model: 0 pass, 1 cam, 2 table, 3 prince, 4 aes, 5 xor. Prints the words' cycle stamps as a checksum: the same for all decryptors that add no cycle.
// +reads=N +seed=N
`timescale 1ns / 1ps
`ifndef KIND
`define KIND 0
`endif
`ifndef KEYS
`define KEYS 52
`endif
module tb_readout;
  parameter KIND = `KIND;
  parameter ADDR = 14;
  parameter LANES = 128;
  parameter BITS = 8;
  parameter KEYABLE = 1;
  parameter KEYS = `KEYS;
  parameter WAYS = 4;
  parameter GATED = 1;
  parameter STORE = 1;
  localparam W = LANES * BITS;
  localparam POSITIONS = LANES * KEYABLE;
  localparam POSITION = $clog2(POSITIONS);
  localparam SETS = KEYS / WAYS;
  localparam INDEX = $clog2(SETS);
  localparam TAG = ADDR - INDEX;
  localparam HOLD = KIND == 4 ? 11 * ((W + 127) / 128) : 0;  // extra cycles of a word in stage X

  localparam MORE = HOLD == 0 ? 20 : 4;  // reads between clears

  reg clk = 0, rst_n = 0, tamper = 0, read = 0;
  reg [ADDR-1:0] addr = 0;
  reg prov_valid = 0;
  reg [15:0] prov_addr = 0;
  reg [63:0] prov_data = 0;
  wire ready, array_read, word_valid;
  wire [ADDR-1:0] array_addr;
  wire [W-1:0] word;
  reg [W-1:0] array_data;

  readout #(
      .ADDR(ADDR), .LANES(LANES), .BITS(BITS), .KEYABLE(KEYABLE), .KEYS(KEYS), .WAYS(WAYS), .GATED(GATED), .STORE(STORE)
  ) dut (
      .clk_i(clk), .rst_ni(rst_n), .tamper_i(tamper), .read_i(read), .addr_i(addr), .ready_o(ready), .array_read_o(array_read), .array_addr_o(array_addr), .array_data_i(array_data),
      .word_valid_o(word_valid), .word_o(word), .prov_valid_i(prov_valid), .prov_addr_i(prov_addr), .prov_data_i(prov_data)
  );
  always #5 clk = ~clk;

  // ---- the array: words are a function of the row (32-bit integer hash, a word at a time) ----
  function [31:0] mix(input [31:0] x);
    reg [31:0] y;
    begin
      y = (x ^ (x >> 16)) * 32'h7feb352d;
      y = (y ^ (y >> 15)) * 32'h846ca68b;
      mix = y ^ (y >> 16);
    end
  endfunction
  function [W-1:0] content(input [ADDR-1:0] row);
    integer j;
    reg [W+31:0] c;
    begin
      c = 0;
      for (j = 0; j < W; j = j + 32) c[j+:32] = mix({18'd0, row} * 32'd64 + j / 32 + 32'd1);
      content = c[W-1:0];
    end
  endfunction
  always @* array_data = array_read ? content(array_addr) : {W{1'bx}};

  // ---- the model's key ----
  reg [ADDR-1:0] key_row[0:KEYS-1];
  reg [POSITION-1:0] key_position[0:KEYS-1];
  reg [INDEX*TAG-1:0] hash[0:WAYS-1];
  integer keys = 0;
  reg [63:0] k0, k1, nonce;
  reg [W+63:0] fixed;
  model_prince m_prince ();
  model_aes m_aes ();

  integer seed, keyed_reads;
  function [W-1:0] expected(input [ADDR-1:0] row);
    integer k, p;
    reg [W-1:0] e;
    reg [127:0] stream;
    begin
      e = content(row);
      if (KIND == 1 || KIND == 2)
        for (k = 0; k < keys; k = k + 1)
          if (key_row[k] == row)
            e[key_position[k]/KEYABLE*BITS+BITS-1-key_position[k]%KEYABLE] = ~e[key_position[k]/KEYABLE*BITS+BITS-1-key_position[k]%KEYABLE];
      if (KIND == 3)
        for (p = 0; p < POSITIONS; p = p + 1) begin
          if (p % 64 == 0) stream[63:0] = m_prince.encrypt(k0, k1, {nonce[31:0], {(24 - ADDR) {1'b0}}, row, 8'd0} + p / 64);
          e[p/KEYABLE*BITS+BITS-1-p%KEYABLE] = e[p/KEYABLE*BITS+BITS-1-p%KEYABLE] ^ stream[p%64];
        end
      if (KIND == 4)
        for (p = 0; p < W; p = p + 1) begin
          if (p % 128 == 0) stream = m_aes.encrypt({k1, k0}, {96'd0, {(24 - ADDR) {1'b0}}, row, 8'd0} + p / 128);
          e[p] = e[p] ^ stream[p%128];
        end
      if (KIND == 5) e = e ^ fixed[W-1:0];
      expected = e;
    end
  endfunction
  function integer is_keyed(input [ADDR-1:0] row);
    integer k;
    begin
      is_keyed = KIND >= 3 ? 1 : 0;
      for (k = 0; k < keys; k = k + 1) if (key_row[k] == row) is_keyed = 1;
    end
  endfunction

  // Writes arrive one a cycle; inputs change after the rising edge.
  task provision(input [15:0] a, input [63:0] d);
    begin
      @(posedge clk);
      #1 prov_valid = 1;
      prov_addr = a;
      prov_data = d;
    end
  endtask

  // Not $random: its numbers are not the same in every simulator.
  function [63:0] any64(input integer dummy);
    begin
      seed = seed + 2;
      any64 = {mix(seed), mix(seed + 1)};
    end
  endfunction

  integer k, j, m, clash;
  reg [TAG-1:0] tag;
  reg [INDEX-1:0] set, folded;
  reg [63:0] data;
  // The array never changes; the same key list serves the model and the provisioning port.
  task load_cam;
    for (k = 0; k < KEYS; k = k + 1) begin
      clash = 1;
      while (clash != 0) begin
        data = any64(0);
        // Every second key joins the row of an earlier one, so that rows have up to WAYS keys.
        key_row[k] = (data[40] && k > 0) ? key_row[data[20:0]%k] : data[ADDR-1:0];
        key_position[k] = data[32+:16] % POSITIONS;
        clash = 0;
        for (j = 0; j < k; j = j + 1) if (key_row[j] == key_row[k] && (j % WAYS == k % WAYS || key_position[j] == key_position[k])) clash = 1;
      end
      keys = k + 1;
      data = any64(0);  // what stands above the entry's bits must not matter
      provision(k, (data << (ADDR + POSITION + 1)) | (64'd1 << (ADDR + POSITION)) | ({50'd0, key_row[k]} << POSITION) | {57'd0, key_position[k]});
    end
  endtask
  // Table: entries are drawn, rows follow from them. Every fifth place stays free.
  task load_table;
    begin
      for (m = 0; m < WAYS; m = m + 1)
        for (j = 0; j < INDEX; j = j + 1) begin
          data = any64(0);
          hash[m][j*TAG+:TAG] = data[TAG-1:0];
          provision(16'h8000 + m * INDEX + j, data);
        end
      for (k = 0; k < KEYS; k = k + 1)
        if (k % 5 != 4) begin
          m = k / SETS;
          set = k % SETS;
          clash = 1;
          while (clash != 0) begin
            data = any64(0);
            tag = (data[40] && keys > 0) ? key_row[data[20:0]%keys] >> INDEX : data[TAG-1:0];
            for (j = 0; j < INDEX; j = j + 1) folded[j] = set[j] ^ (^(hash[m][j*TAG+:TAG] & tag));
            key_row[keys] = {tag, folded};
            key_position[keys] = data[32+:16] % POSITIONS;
            clash = 0;
            for (j = 0; j < keys; j = j + 1) if (key_row[j] == key_row[keys] && key_position[j] == key_position[keys]) clash = 1;
          end
          data = any64(0);
          provision(k, (data << (TAG + POSITION + 1)) | (64'd1 << (TAG + POSITION)) | ({50'd0, tag} << POSITION) | {57'd0, key_position[keys]});
          keys = keys + 1;
        end
    end
  endtask
  task load;
    begin
      keys = 0;
      fixed = 0;
      k0 = any64(0);
      k1 = any64(0);
      nonce = any64(0);
      if (KIND == 1) load_cam;
      if (KIND == 2) load_table;
      if (KIND == 3 || KIND == 4) begin
        provision(0, k0);
        provision(1, k1);
        provision(2, nonce);
      end
      if (KIND == 5)
        for (j = 0; j < W; j = j + 64) begin
          data = any64(0);
          fixed[j+:64] = data;
          provision(j / 64, data);
        end
      // Writes to places that do not exist, and writes without valid.
      provision(16'h7fff, any64(0));
      provision(16'hffff, any64(0));
      @(posedge clk);
      #1 prov_valid = 0;
      prov_addr = 0;
      prov_data = any64(0);
      @(posedge clk);
      #1 prov_addr = 1;
    end
  endtask

  // ---- reads and their words ----
  integer cycle = 0, errors = 0, reads, asked = 0, seen = 0, want, free_at = 0;
  reg [ADDR-1:0] asked_row[0:7];
  integer asked_at[0:7];
  reg [31:0] stamps = 0;
  reg [63:0] dice;
  always @(posedge clk) begin
    cycle <= cycle + 1;
    if (word_valid) begin
      if (word !== expected(asked_row[seen%8])) begin
        errors = errors + 1;
        if (errors < 4) $display("# cycle %0d row %0d: %h, expected %h", cycle, asked_row[seen%8], word, expected(asked_row[seen%8]));
      end
      // In X two cycles after A, or when the word before has left, and then HOLD cycles.
      want = asked_at[seen%8] + 2;
      if (want < free_at) want = free_at;
      want = want + HOLD;
      free_at = want + 1;
      if (cycle != want) begin
        errors = errors + 1;
        if (errors < 4) $display("# row %0d came in cycle %0d, expected %0d", asked_row[seen%8], cycle, want);
      end
      stamps = mix(stamps ^ cycle);
      seen = seen + 1;
    end
    if (read && ready) begin
      asked_row[asked%8] = addr;
      asked_at[asked%8] = cycle;
      keyed_reads = keyed_reads + is_keyed(addr);
      asked = asked + 1;
    end
  end

  // Rows: five of eight from the key, one a repeat of the row before, the others anywhere; idle cycles now and then.
  reg [63:0] choice;
  task run(input integer n);
    begin
      j = asked + n;
      while (asked < j) begin
        #1;
        dice = any64(0);
        // The dice are thrown the same for every kind, so that stamps can be compared.
        choice = any64(0);
        if (ready || !read) begin
          read = dice[2:0] != 0;
          if (dice[5:3] < 5 && keys > 0) addr = key_row[choice[30:0]%keys];
          else if (dice[5:3] != 5) addr = choice[ADDR-1:0];
        end
        @(posedge clk);
        #1;
      end
      read = 0;
      while (seen < asked) @(posedge clk);
      @(posedge clk);
    end
  endtask

  // A cleared store is all zeros: the ciphers encrypt with zero keys.
  task forget;
    begin
      keys = 0;
      {k0, k1, nonce} = 192'd0;
      fixed = 0;
    end
  endtask

  integer first_seed;
  initial begin
    if (!$value$plusargs("reads=%d", reads)) reads = 2000;
    if (!$value$plusargs("seed=%d", seed)) seed = 1;
    first_seed = seed;
    keyed_reads = 0;
    forget;
    repeat (3) @(posedge clk);
    #1 rst_n = 1;
    run(reads / 8);  // nothing provisioned
    load;
    // From here on all kinds are in step again.
    while (cycle < reads + 2000 + reads / 8 * HOLD) @(posedge clk);
    seed = first_seed + 1000000;
    run(reads - reads / 8);
    $display("# kind %0d: %0d reads, %0d keyed, %0d cycles, %0d errors", KIND, seen, keyed_reads, cycle, errors);
    $display("stamps %h", stamps);

    // Tamper and reset clear the keys without a clock, and new ones can be written.
    #2 tamper = 1;
    #1 tamper = 0;
    forget;
    run(MORE);
    load;
    run(MORE);
    @(posedge clk);
    #2 rst_n = 0;
    #1 rst_n = 1;
    forget;
    run(MORE);
    load;
    run(MORE);
    $display("%s", errors == 0 && seen == reads + 4 * MORE ? "PASS" : "FAIL");
    $finish;
  end
endmodule
