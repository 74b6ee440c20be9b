#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Accuracy on modelled chips, for docs/results.md: over bit errors, presets, effects, converters, repairs. N-MNIST: four fifths of the 1000 training recordings train
# a network of each width, the other 200 are the samples. Gesture: the first 132 test recordings (3 unseen synthetic subjects).
#   devices.sh FOLDER [PART...]     PART: train nmnist gesture; FOLDER gets models and tables; finished rows of an earlier start are kept
# SNNSIM: the program; CHIPS: chips of each point (100); GESTURE_CHIPS (20).
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$1 parts=${*:2}
snnsim=${SNNSIM:-build/snnsim} chips=${CHIPS:-100} gesture_chips=${GESTURE_CHIPS:-20}
export SNNSIM_DATA=${SNNSIM_DATA:-../shared/data}
mkdir -p "$folder"
fold=(--set dataset.folds=5 --set dataset.fold=0)
widths="$folder/nmnist8.h5,$folder/nmnist6.h5,$folder/nmnist4.h5"

train() {
    for bits in 8 6 4; do
        [ -e "$folder/nmnist$bits.h5" ] || "$snnsim" train nmnist.cfg "${fold[@]}" --set train.epochs=60 --set train.quant_epochs=10 \
            --set quant.bits=$bits --model "$folder/nmnist$bits.h5" --quiet
    done
}
sweep() { # TABLE ARGUMENTS...
    echo "$1"
    "$snnsim" sweep "${@:2}" -o "$folder/$1.csv" --quiet
}
nmnist() {
    local n=(nmnist.cfg "${fold[@]}" --set "hw.chips=$chips" --over "model.path=$widths")
    local many=(--set hw.readout=analog --set hw.weights=differential)
    # which share of wrong bits does the network survive: constant, and at each read
    sweep cell_error "${n[@]}" --set hw.device=ideal --over hw.cell_error=0,1e-5,1e-4,1e-3,3e-3,1e-2,3e-2
    sweep read_error nmnist.cfg "${fold[@]}" --set hw.chips=20 --over "model.path=$widths" --set hw.device=ideal --over hw.read_error=0,1e-4,1e-3,1e-2,3e-2
    sweep presets "${n[@]}" --over hw.device=ideal,neurram,neurram_cubic,neurosim22,milo,cmo,harsh --over hw.time=1,86400
    sweep levels nmnist.cfg "${fold[@]}" --set hw.chips=10 --set "model.path=$folder/nmnist8.h5" --set hw.device=neurram --over hw.cell_bits=1,2,3,4 --over hw.time=1,86400
    sweep effects "${n[@]}" --set hw.device=harsh --over 'hw.effects=[programming],[telegraph],[white_noise],[stuck],all'
    sweep repair "${n[@]}" --set hw.device=ideal --over cell.faults.stuck_hrs=1e-3,1e-2,9.04e-2 --over hw.repair.msb_placement=false,true --over hw.repair.secded=0,64,16
    local a=(nmnist.cfg "${fold[@]}" "${many[@]}" --set "hw.chips=${ANALOG_CHIPS:-10}" --over "model.path=$widths")
    sweep analog_presets "${a[@]}" --over hw.device=ideal,neurram,neurosim22,milo,cmo,harsh --over hw.time=1,86400
    sweep analog_effects "${a[@]}" --set hw.device=neurram --set hw.time=86400 --over 'hw.effects=[programming],[programming,relaxation],[white_noise],[wire],all'
    # the case that is known to ruin accuracy: many rows at once, few codes over the whole range of currents
    local c=(nmnist.cfg "${fold[@]}" --set "model.path=$folder/nmnist8.h5" --set hw.readout=analog --set hw.device=ideal)
    sweep adc "${c[@]}" --over hw.weights=differential,bits --over hw.analog.adc_range=1,0 --over hw.analog.parallel_rows=8,32,64,0 --over hw.analog.adc_bits=3,4,5,6,8
}
gesture() {
    local g=(gesture.cfg --limit 132 --set "hw.chips=$gesture_chips")
    sweep gesture_cell_error "${g[@]}" --set hw.device=ideal --over hw.cell_error=0,1e-5,1e-4,1e-3,3e-3,1e-2,3e-2
    sweep gesture_presets "${g[@]}" --over hw.device=ideal,neurram,neurosim22,milo,cmo,harsh --over hw.time=1,86400
    sweep gesture_widths "${g[@]}" --over quant.bits=8,6,4 --over hw.device=neurram,harsh
    sweep gesture_analog gesture.cfg --limit 44 --set hw.readout=analog --set hw.weights=differential --set "hw.chips=${ANALOG_CHIPS:-4}" \
        --over hw.device=ideal,neurram,neurosim22,milo --over hw.time=1,86400
    sweep gesture_repair "${g[@]}" --set hw.device=ideal --over cell.faults.stuck_hrs=1e-3,1e-2,9.04e-2 --over hw.repair.msb_placement=false,true --over hw.repair.secded=0,64
}
for part in ${parts:-train nmnist gesture}; do "$part"; done
